using Streaming.Core.Events;
using Streaming.Core.Hashing;

namespace Streaming.Core.Ingestion;

/// <summary>
/// Which events are not trained on while the trainer is too far behind. Which they are depends on the event alone, by a
/// hash, so every partition and every user gives the same share, and a stream that is read again leaves out the same ones.
/// When it begins and ends depends on the lag and the clock.
/// </summary>
/// <remarks>One thread owns it; <see cref="IsActive"/> may be read by any.</remarks>
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

    /// <summary>Creates it, not active.</summary>
    /// <param name="lag">Records behind the end of the stream above which the trainer is too far behind, 0 and up.</param>
    /// <param name="after">How long that must last.</param>
    /// <param name="share">Share of the events that is then left out, 0 … 1.</param>
    /// <param name="time">Clock.</param>
    public LoadShedding(long lag, TimeSpan after, double share, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfNegative(lag);
        if (!(share is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "Allowed are 0 to 1.");
        }

        _lag = lag;
        _after = after;
        _below = share == 1 ? ulong.MaxValue : (ulong)(share * ulong.MaxValue);
        _time = time;
    }

    /// <summary>Gets a value indicating whether events are left out.</summary>
    public bool IsActive => Volatile.Read(ref _isActive);

    /// <summary>Takes note of the lag. Once begun, it lasts until half of the lag is caught up, so that it does not flicker.</summary>
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

    /// <summary>Whether an event is left out now.</summary>
    /// <param name="candidate">The event: its own id decides, and without one user, item and time do.</param>
    /// <param name="user">Hash of the user's id.</param>
    /// <param name="item">Hash of the item's id.</param>
    internal bool LeavesOut(in InteractionEvent candidate, ulong user, ulong item)
    {
        if (!_isActive)
        {
            return false;
        }

        ReadOnlySpan<ulong> parts = [user, item, (ulong)candidate.EventTime];
        ulong hash = XxHash64.Hash(candidate.EventId.IsEmpty ? System.Runtime.InteropServices.MemoryMarshal.AsBytes(parts) : candidate.EventId, Seed);
        return hash < _below;
    }
}
