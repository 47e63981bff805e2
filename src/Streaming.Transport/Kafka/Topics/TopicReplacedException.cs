using System.Diagnostics.CodeAnalysis;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Topics;

/// <summary>A topic was deleted and created anew while it was read, so that nothing read since the last checkpoint can be told
/// apart from it.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Only the source makes it.")]
public sealed class TopicReplacedException : KafkaSourceException
{
    internal TopicReplacedException(string message, IReadOnlyList<StreamPosition> oldEnds)
        : base(message) => OldEnds = oldEnds;

    /// <summary>Gets where the old topic ended when it was last seen, as far as known.</summary>
    public IReadOnlyList<StreamPosition> OldEnds { get; }
}
