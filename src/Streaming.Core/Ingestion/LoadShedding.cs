using Streaming.Core.Events;
using Streaming.Core.Hashing;

namespace Streaming.Core.Ingestion;

/// <summary>
/// Selects events to skip in training while the trainer is too far behind. The choice depends on the event alone, by a
/// hash: every partition and every user loses the same share, and a replayed stream skips the same events. Start and end
/// depend on the lag and the clock.
/// </summary>
/// <remarks>One thread owns it; any thread may read <see cref="IsActive"/>.</remarks>
public sealed class LoadShedding
{
    private const ulong Seed = 0x5EED;

    private readonly long _lag;
    private readonly TimeSpan _after;
    private readonly ulong _below;
    private readonly TimeProvider _time;
    private bool _isBehind;
    private long _behindSince;
    private bool _isActive;

    /// <summary>Creates an inactive instance.</summary>
    /// <param name="lag">Records behind the end of the stream above which shedding starts, 0 and up.</param>
    /// <param name="after">How long the lag must stay above it.</param>
    /// <param name="share">Share of the events to skip, 0 … 1.</param>
    /// <param name="time">Clock.</param>
    public LoadShedding(long lag, TimeSpan after, double share, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfNegative(lag);
        if (!(share is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "Allowed: 0 to 1.");
        }

        _lag = lag;
        _after = after;
        _below = share == 1 ? ulong.MaxValue : (ulong)(share * ulong.MaxValue);
        _time = time;
    }

    /// <summary>Gets a value indicating whether events are being skipped.</summary>
    public bool IsActive => Volatile.Read(ref _isActive);

    /// <summary>Records the lag. Once active, shedding lasts until the lag falls to half the threshold (hysteresis).</summary>
    public void Observe(long lag)
    {
        long now = _time.GetTimestamp();
        if (lag <= (IsActive ? _lag / 2 : _lag))
        {
            _isBehind = false;
        }
        else if (!_isBehind)
        {
            _isBehind = true;
            _behindSince = now;
        }

        Volatile.Write(ref _isActive, _isBehind && (IsActive || _time.GetElapsedTime(_behindSince, now) >= _after));
    }

    /// <summary>Returns whether to skip an event now.</summary>
    /// <param name="candidate">The event: its id decides, or user, item and time if it has none.</param>
    /// <param name="user">Hash of the user's id.</param>
    /// <param name="item">Hash of the item's id.</param>
    internal bool LeavesOut(in InteractionEvent candidate, ulong user, ulong item)
    {
        if (!_isActive)
        {
            return false;
        }

        ReadOnlySpan<ulong> parts = [user, item, (ulong)candidate.EventTime];
        ulong hash = XxHash64.Hash(
            candidate.EventId.IsEmpty ? System.Runtime.InteropServices.MemoryMarshal.AsBytes(parts) : candidate.EventId,
            Seed
        );
        return hash < _below;
    }
}
