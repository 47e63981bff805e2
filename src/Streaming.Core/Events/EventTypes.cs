using System.Text;

namespace Streaming.Core.Events;

/// <summary>The weight of each event type in the loss.</summary>
public sealed class EventTypes
{
    private readonly byte[][] _names;
    private readonly float[] _weights;
    private readonly float _defaultWeight;
    private readonly bool _isStrict;

    /// <summary>Creates the table.</summary>
    /// <param name="weights">Weight by type name, 0 … 1000; 0: added to the history, not trained on.</param>
    /// <param name="strict">Whether to reject events of other types, or without a type.</param>
    /// <param name="defaultWeight">Weight of other types, and of events without a type, when not strict. 0 … 1000.</param>
    /// <exception cref="ArgumentException">A weight or a name is out of bounds.</exception>
    public EventTypes(IReadOnlyDictionary<string, float> weights, bool strict = false, float defaultWeight = 1f)
    {
        ArgumentNullException.ThrowIfNull(weights);
        CheckWeight("(default)", defaultWeight);
        _names = new byte[weights.Count][];
        _weights = new float[weights.Count];
        _isStrict = strict;
        _defaultWeight = defaultWeight;
        int index = 0;
        foreach ((string name, float weight) in weights)
        {
            CheckWeight(name, weight);
            byte[] utf8 = Encoding.UTF8.GetBytes(name);
            if (utf8.Length is 0 or > InteractionEvent.MaxIdBytes)
            {
                throw new ArgumentException(
                    $"Event type '{name}' has {utf8.Length} bytes of UTF-8; allowed: 1 to {InteractionEvent.MaxIdBytes}.",
                    nameof(weights)
                );
            }

            _names[index] = utf8;
            _weights[index++] = weight;
        }
    }

    /// <summary>Gets the types that have a weight, for messages.</summary>
    public string Names => string.Join(", ", _names.Select(static name => Encoding.UTF8.GetString(name)));

    /// <summary>Finds the weight of a type. With a handful of types, comparing is faster than hashing, and allocates nothing.</summary>
    /// <returns><see cref="DeadLetterReason.None"/>, or why the event is rejected.</returns>
    public DeadLetterReason Find(ReadOnlySpan<byte> type, out float weight)
    {
        for (int i = 0; i < _names.Length; i++)
        {
            if (type.SequenceEqual(_names[i]))
            {
                weight = _weights[i];
                return DeadLetterReason.None;
            }
        }

        weight = _defaultWeight;
        return !_isStrict ? DeadLetterReason.None
            : type.IsEmpty ? DeadLetterReason.NoType
            : DeadLetterReason.UnknownType;
    }

    private static void CheckWeight(string name, float weight)
    {
        if (!(weight >= 0f && weight <= 1000f))
        {
            throw new ArgumentException($"Event type '{name}' has weight {weight}; allowed: 0 to 1000.", nameof(weight));
        }
    }
}
