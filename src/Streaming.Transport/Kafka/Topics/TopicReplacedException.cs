using System.Diagnostics.CodeAnalysis;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Topics;

/// <summary>A topic was deleted and recreated while it was read, so that records read since the last checkpoint may belong to
/// either.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Only the source makes it.")]
public sealed class TopicReplacedException : KafkaSourceException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Which topic, and what to do.</param>
    /// <param name="oldEnds">The last known ends of the old topic.</param>
    public TopicReplacedException(string message, IReadOnlyList<StreamPosition> oldEnds)
        : base(message) => OldEnds = oldEnds;

    /// <summary>Gets the last known ends of the old topic.</summary>
    public IReadOnlyList<StreamPosition> OldEnds { get; }
}
