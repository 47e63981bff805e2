using Streaming.Models.Batches;
using Streaming.Models.State;

namespace Streaming.Learning.Bank;

/// <summary>Finds entries of a bank that repeat a newer one's item.</summary>
public sealed class RepeatedRows
{
    private readonly RowSlots _seen = new();
    private int[] _repeats = [];

    /// <summary>Finds repeats.</summary>
    /// <param name="rows">Item rows, newest first; −1 repeats nothing.</param>
    /// <param name="fresh">How many of the newest are new; the others do not repeat each other.</param>
    /// <returns>Indices of entries that repeat a newer one's item, ascending; valid until the next call.</returns>
    public ReadOnlySpan<int> Find(ReadOnlySpan<int> rows, int fresh)
    {
        _seen.Clear();
        int count = 0;
        for (int entry = 0; entry < rows.Length; entry++)
        {
            int row = rows[entry];
            if (row >= 0 && IsRepeat(row, isFresh: entry < fresh))
            {
                Buffers.Extend(ref _repeats, count + 1);
                _repeats[count++] = entry;
            }
        }

        return _repeats.AsSpan(0, count);
    }

    private bool IsRepeat(int row, bool isFresh)
    {
        int before = _seen.Count;
        return isFresh ? _seen.Add(row) < before : _seen.IndexOf(row) >= 0;
    }
}
