namespace Streaming.Core.Tests.Histories;

/// <summary>A naive implementation of histories: lists sorted by time, and the order of activity as a list.</summary>
internal sealed class ReferenceHistories(int length, int maxUsers)
{
    private readonly Dictionary<ulong, List<(ulong Item, long Time)>> _histories = [];
    private readonly List<ulong> _activity = [];

    public IReadOnlyList<ulong> Activity => _activity;

    public long Evictions { get; private set; }

    public ulong[] Get(ulong user) =>
        _histories.TryGetValue(user, out List<(ulong Item, long Time)>? history) ? [.. history.Select(static entry => entry.Item)] : [];

    public (ulong[] Before, bool IsKnown, bool IsRepeat, bool IsLate) Append(ulong user, ulong item, long time, long lateness)
    {
        bool isKnown = _histories.TryGetValue(user, out List<(ulong Item, long Time)>? history);
        if (!isKnown)
        {
            if (_activity.Count == maxUsers)
            {
                _histories.Remove(_activity[0]);
                _activity.RemoveAt(0);
                Evictions++;
            }

            history = _histories[user] = [];
        }

        _activity.Remove(user);
        _activity.Add(user);
        int at = history!.FindLastIndex(entry => entry.Time <= time) + 1;
        bool isLate = isKnown && history[^1].Time - lateness > time;
        bool isRepeat = history.Exists(entry => entry.Item == item);
        ulong[] before = [.. history.Take(at).Select(static entry => entry.Item)];
        history.Insert(at, (item, time));
        if (history.Count > length)
        {
            history.RemoveAt(0);
        }

        return (before, isKnown, isRepeat, isLate);
    }
}
