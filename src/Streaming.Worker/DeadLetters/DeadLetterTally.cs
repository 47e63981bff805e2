using System.Globalization;
using Streaming.Core.Events;
using Streaming.Transport.Kafka.DeadLetters;

namespace Streaming.Worker.DeadLetters;

/// <summary>Dead letters counted by topic and reason, with the newest of each as its example.</summary>
internal sealed class DeadLetterTally
{
    // What a header says may be anything: so many pairs are told apart.
    private const int MostKinds = 100;
    private readonly Dictionary<(string Topic, string Reason), Kind> _kinds = [];

    /// <summary>Gets how many there are.</summary>
    public long Total { get; private set; }

    /// <summary>Counts one.</summary>
    public void Add(StoredDeadLetter letter)
    {
        Total++;
        (string, string) key = (ShortText.Line(letter.Topic), ShortText.Line(letter.Reason));
        if (!_kinds.TryGetValue(key, out Kind? kind))
        {
            key = _kinds.Count < MostKinds ? key : ("(others)", "(others)");
            if (!_kinds.TryGetValue(key, out kind))
            {
                _kinds.Add(key, kind = new Kind { First = letter.Time, Last = letter.Time });
            }
        }

        kind.Count++;
        (kind.First, kind.Last) = (kind.First < letter.Time ? kind.First : letter.Time, kind.Last > letter.Time ? kind.Last : letter.Time);
        kind.Example = string.Create(
            CultureInfo.InvariantCulture,
            $"[{letter.Partition}]@{letter.Offset}, was {ShortText.Line(letter.Topic)}[{letter.OriginPartition}]@{letter.OriginOffset}: "
                + $"{ShortText.Line(letter.Explanation)}"
        );
    }

    /// <summary>Prints two lines for each topic and reason, the most frequent first.</summary>
    public void Write(TextWriter output)
    {
        foreach (
            ((string topic, string reason), Kind kind) in _kinds
                .OrderByDescending(static pair => pair.Value.Count)
                .ThenBy(static pair => pair.Key)
        )
        {
            output.WriteLine(
                FormattableString.Invariant(
                    $"{kind.Count, 10}  {reason}  {topic}  {kind.First:yyyy-MM-dd'T'HH:mm:ss'Z'} … {kind.Last:yyyy-MM-dd'T'HH:mm:ss'Z'}"
                )
            );
            output.WriteLine($"            {kind.Example}");
        }
    }

    private sealed class Kind
    {
        public long Count { get; set; }

        public DateTime First { get; set; }

        public DateTime Last { get; set; }

        public string Example { get; set; } = string.Empty;
    }
}
