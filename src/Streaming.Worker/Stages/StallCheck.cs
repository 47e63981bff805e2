namespace Streaming.Worker.Stages;

/// <summary>Detects that training finishes no batch although events wait. One caller at a time.</summary>
/// <param name="limit">How long.</param>
/// <param name="time">Clock.</param>
internal sealed class StallCheck(TimeSpan limit, TimeProvider time)
{
    private long _batches = -1;
    private long _since;

    /// <summary>Updates the number of batches.</summary>
    /// <param name="batches">Batches finished so far.</param>
    /// <param name="waiting">Whether there is work for the trainer.</param>
    /// <returns>The problem; empty: none.</returns>
    public string Update(long batches, bool waiting)
    {
        if (batches != _batches || !waiting)
        {
            _batches = batches;
            _since = time.GetTimestamp();
            return string.Empty;
        }

        TimeSpan lasted = time.GetElapsedTime(_since);
        return lasted < limit
            ? string.Empty
            : FormattableString.Invariant($"no batch finished for {lasted.TotalSeconds:0} s although events are waiting");
    }
}
