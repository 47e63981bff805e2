using Streaming.Core.Embeddings;

namespace Streaming.Worker.Serve;

/// <summary>Why values were refused, in words.</summary>
internal static class Refusals
{
    /// <summary>The reasons, as they are counted.</summary>
    public static readonly IReadOnlyList<EmbeddingFault> All = [.. Enum.GetValues<EmbeddingFault>().Where(static fault => fault != EmbeddingFault.None)];

    /// <summary>A reason in words.</summary>
    public static string Describe(EmbeddingFault fault) => fault switch
    {
        EmbeddingFault.Foreign => "foreign: something else wrote this key",
        EmbeddingFault.Truncated => "truncated: bytes are missing",
        EmbeddingFault.NewerVersion => "newer: its layout is newer than this reader; update the reader",
        EmbeddingFault.OtherGeneration => "of another generation than its key says",
        EmbeddingFault.TooNarrow => "narrower than the width asked for",
        _ => "corrupt: checksum or fields contradict each other",
    };

    /// <summary>A reason as a tag of a metric.</summary>
    public static string Tag(EmbeddingFault fault) => fault switch
    {
        EmbeddingFault.NewerVersion => "newer",
        EmbeddingFault.OtherGeneration => "other_generation",
        EmbeddingFault.TooNarrow => "too_narrow",
        EmbeddingFault.Foreign => "foreign",
        EmbeddingFault.Truncated => "truncated",
        _ => "corrupt",
    };
}
