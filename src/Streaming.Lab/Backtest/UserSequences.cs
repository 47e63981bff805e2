using System.Runtime.InteropServices;
using Streaming.Formats.Files;

namespace Streaming.Lab.Backtest;

/// <summary>Groups events by user.</summary>
internal sealed class UserSequences
{
    private readonly StringTable _users = new();
    private readonly StringTable _items = new();
    private readonly List<List<int>> _itemsOf = [];
    private readonly List<List<long>> _timesOf = [];
    private readonly List<List<float>> _weightsOf = [];

    /// <summary>Appends an event to its user's sequence.</summary>
    public void Add(in EventRow row, float weight)
    {
        int user = _users.Intern(row.User);
        if (user == _itemsOf.Count)
        {
            _itemsOf.Add([]);
            _timesOf.Add([]);
            _weightsOf.Add([]);
        }

        _itemsOf[user].Add(_items.Intern(row.Item));
        _timesOf[user].Add(row.Time);
        _weightsOf[user].Add(weight);
    }

    /// <summary>Returns all sequences.</summary>
    public InteractionLog ToLog()
    {
        var sequences = new JaggedList();
        var weights = new WeightList();
        _itemsOf.ForEach(sequence => sequences.Add(CollectionsMarshal.AsSpan(sequence)));
        _weightsOf.ForEach(sequence => weights.Add(CollectionsMarshal.AsSpan(sequence)));
        return new InteractionLog(
            [.. Enumerable.Range(0, _items.Count).Select(item => _items[item])],
            sequences,
            [.. _timesOf.Select(times => times.ToArray())]
        )
        {
            Weights = weights,
        };
    }
}
