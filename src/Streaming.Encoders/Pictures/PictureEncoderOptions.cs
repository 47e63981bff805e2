namespace Streaming.Encoders.Pictures;

/// <summary>An encoder of pictures.</summary>
public sealed record PictureEncoderOptions
{
    /// <summary>The least that <see cref="Size"/> may be.</summary>
    public const int SmallestSize = 16;

    /// <summary>The most that <see cref="Size"/> may be.</summary>
    public const int LargestSize = 1024;

    /// <summary>Gets the ONNX file of a model with one input: pictures × 3 × height × width.</summary>
    public required string Model { get; init; }

    /// <summary>Gets the model's output to take; null: its first of floats.</summary>
    public string? Output { get; init; }

    /// <summary>Gets how the model wants pixels. Default: torch.</summary>
    public PixelScale Pixels { get; init; } = PixelScale.All[0];

    /// <summary>Gets the height and width of pictures where the model leaves them open. Default 224; 16 … 1,024.</summary>
    public int Size { get; init; } = 224;
}
