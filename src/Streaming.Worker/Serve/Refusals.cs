using Streaming.Core.Embeddings;

namespace Streaming.Worker.Serve;

/// <summary>Describes why values were refused.</summary>
internal static class Refusals
{
    /// <summary>All reasons, in the order in which they are counted.</summary>
    public static readonly IReadOnlyList<EmbeddingFault> All =
    [
        .. Enum.GetValues<EmbeddingFault>().Where(static fault => fault != EmbeddingFault.None),
    ];

    /// <summary>Describes a reason.</summary>
    public static string Describe(EmbeddingFault fault) =>
        fault switch
        {
            EmbeddingFault.Foreign => "foreign: something else wrote this key",
            EmbeddingFault.Truncated => "truncated: bytes are missing",
            EmbeddingFault.NewerVersion => "newer: its layout is newer than this reader; update the reader",
            EmbeddingFault.OtherGeneration => "of another generation than its key says",
            EmbeddingFault.TooNarrow => "narrower than the requested width",
            _ => "corrupt: checksum or fields contradict each other",
        };

    /// <summary>Returns a reason's metric tag.</summary>
    public static string Tag(EmbeddingFault fault) =>
        fault switch
        {
            EmbeddingFault.NewerVersion => "newer",
            EmbeddingFault.OtherGeneration => "other_generation",
            EmbeddingFault.TooNarrow => "too_narrow",
            EmbeddingFault.Foreign => "foreign",
            EmbeddingFault.Truncated => "truncated",
            _ => "corrupt",
        };
}
