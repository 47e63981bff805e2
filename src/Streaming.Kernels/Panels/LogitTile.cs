namespace Streaming.Kernels.Panels;

/// <summary>Operands of <see cref="PanelLogits{T}"/>.</summary>
internal ref struct LogitTile
{
    /// <summary>First streamed vector, row-major.</summary>
    public ref float Stream;

    /// <summary>Distance between streamed vectors.</summary>
    public nint Stride;

    /// <summary>Panel [D × 32].</summary>
    public ref float Panel;

    /// <summary>Start value of each streamed vector's scores.</summary>
    public ref float StreamBias;

    /// <summary>Start value of each lane's scores [32].</summary>
    public ref float LaneBias;

    /// <summary>Nested widths.</summary>
    public ref int Widths;

    /// <summary>Number of widths, K.</summary>
    public int WidthCount;

    /// <summary>Out: scores [K × rows × 32].</summary>
    public ref float Output;

    /// <summary>Distance between the scores of adjacent widths.</summary>
    public nint WidthStride;
}
