using Streaming.Learning.Bank;

namespace Streaming.Learning.Torch.Bank;

/// <summary>Which items a bank of distinct items holds, on the host: decides which entries stay without asking the device.</summary>
internal sealed class DistinctEntries(int capacity)
{
    private readonly RepeatedRows _repeats = new();
    private int[] _rows = [];
    private long[] _ages = [];

    /// <summary>Gets draws since each entry's, itself included, newest first.</summary>
    public ReadOnlySpan<long> Ages => _ages;

    /// <summary>Adds draws, the last one the newest.</summary>
    /// <returns>The entries that stay, as indices into the new ones followed by those held, newest first in both.</returns>
    public int[] Enqueue(ReadOnlySpan<int> drawn)
    {
        int fresh = drawn.Length;
        int[] rows = [.. drawn, .. _rows];
        rows.AsSpan(0, fresh).Reverse();
        HashSet<int> repeats = [.. _repeats.Find(rows, fresh)];
        int[] kept = [.. Enumerable.Range(0, rows.Length).Where(entry => !repeats.Contains(entry)).Take(capacity)];
        _ages = [.. kept.Select(entry => entry < fresh ? entry + 1 : _ages[entry - fresh] + fresh)];
        _rows = [.. kept.Select(entry => rows[entry])];
        return kept;
    }

    /// <summary>Clears the row of an item's entry.</summary>
    public void Forget(int row) => _rows.AsSpan().Replace(row, -1);

    /// <summary>Replaces the contents, newest first.</summary>
    public void Reset(ReadOnlySpan<int> rows, ReadOnlySpan<long> ages) => (_rows, _ages) = (rows.ToArray(), ages.ToArray());
}
