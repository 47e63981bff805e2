using Streaming.Learning.Bank;

namespace Streaming.Learning.Torch.Bank;

/// <summary>Which items a bank of distinct items holds, on the host: decides which entries stay without asking the device.</summary>
internal sealed class DistinctEntries(int capacity)
{
    private readonly RepeatedRows _repeats = new();
    private readonly List<int> _kept = [];
    private int[] _all = [];
    private int[] _rows = new int[capacity];
    private long[] _ages = new long[capacity];
    private long[] _before = new long[capacity];
    private int _count;

    /// <summary>Gets draws since each entry's, itself included, newest first.</summary>
    public ReadOnlySpan<long> Ages => _ages.AsSpan(0, _count);

    /// <summary>Adds draws, the last one the newest.</summary>
    /// <returns>The entries that stay, as indices into the new ones followed by those held, newest first in both; valid until the
    /// next call.</returns>
    public IReadOnlyList<int> Enqueue(ReadOnlySpan<int> drawn)
    {
        int fresh = drawn.Length;
        Keep(drawn);
        (_ages, _before) = (_before, _ages);
        _count = _kept.Count;
        for (int i = 0; i < _count; i++)
        {
            int entry = _kept[i];
            _rows[i] = _all[entry];
            _ages[i] = entry < fresh ? entry + 1 : _before[entry - fresh] + fresh;
        }

        return _kept;
    }

    /// <summary>Clears the row of an item's entry.</summary>
    public void Forget(int row) => _rows.AsSpan(0, _count).Replace(row, -1);

    /// <summary>Replaces the contents, newest first.</summary>
    public void Reset(ReadOnlySpan<int> rows, ReadOnlySpan<long> ages)
    {
        _count = rows.Length;
        rows.CopyTo(_rows);
        ages.CopyTo(_ages);
    }

    private void Keep(ReadOnlySpan<int> drawn)
    {
        int total = drawn.Length + _count;
        Array.Resize(ref _all, Math.Max(_all.Length, total));
        Span<int> all = _all.AsSpan(0, total);
        drawn.CopyTo(all);
        all[..drawn.Length].Reverse();
        _rows.AsSpan(0, _count).CopyTo(all[drawn.Length..]);
        ReadOnlySpan<int> repeats = _repeats.Find(all, drawn.Length);
        _kept.Clear();
        for (int entry = 0; entry < total && _kept.Count < capacity; entry++)
        {
            if (!repeats.IsEmpty && repeats[0] == entry)
            {
                repeats = repeats[1..];
                continue;
            }

            _kept.Add(entry);
        }
    }
}
