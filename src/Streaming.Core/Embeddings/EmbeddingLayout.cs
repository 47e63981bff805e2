namespace Streaming.Core.Embeddings;

/// <summary>Byte offsets of a value's fields, all little-endian. The contract for readers is schemas/embedding-value.md.</summary>
internal static class EmbeddingLayout
{
    /// <summary>"EV".</summary>
    public const ushort Magic = 0x5645;

    public const byte Version = 1;

    public const int VersionAt = 2;
    public const int ElementAt = 3;
    public const int FlagsAt = 4;
    public const int WidthCountAt = 5;
    public const int DimensionAt = 6;
    public const int GenerationAt = 8;

    /// <summary>The publishing script reads token and step from here, so they must be adjacent.</summary>
    public const int TokenAt = 12;
    public const int StepAt = 16;
    public const int EventTimeAt = 22;
    public const int ScaleAt = 28;
    public const int ChecksumAt = 32;
    public const int FixedLength = 36;

    public const byte NormsFlag = 1;

    public static int ElementLength(EmbeddingElement element) =>
        element switch
        {
            EmbeddingElement.Float32 => 4,
            EmbeddingElement.Float16 => 2,
            _ => 1,
        };
}
