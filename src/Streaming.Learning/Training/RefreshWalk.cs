using Streaming.Learning.Items;

namespace Streaming.Learning.Training;

/// <summary>A cursor that passes over the rows of the item table, as many at a time as the time since the last time asks for.</summary>
/// <param name="items">The table.</param>
internal sealed class RefreshWalk(ItemTable items)
{
    private int _cursor;
    private double _owed;

    /// <summary>Gets the number of rows to pass over now.</summary>
    public int Due => (int)_owed;

    /// <summary>Gets the number of rows of a pass.</summary>
    public int Span => Math.Max(items.HighWater - items.FallbackRows, 0);

    /// <summary>Lets time pass.</summary>
    /// <param name="passes">Passes that this time asks for; what is owed never exceeds one.</param>
    public void Owe(double passes) => _owed = Math.Min(Span, _owed + (Span * passes));

    /// <summary>Owes nothing.</summary>
    public void Rest() => _owed = 0;

    /// <summary>Passes over the next row.</summary>
    /// <param name="isPass">Whether it was the last of a pass.</param>
    public int Next(out bool isPass)
    {
        _owed--;
        _cursor = Math.Max(_cursor + 1, items.FallbackRows);
        if (_cursor >= items.HighWater)
        {
            _cursor = items.FallbackRows;
        }

        isPass = _cursor == items.HighWater - 1;
        return _cursor;
    }
}
