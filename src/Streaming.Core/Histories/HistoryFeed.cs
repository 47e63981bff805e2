using System.Threading.Channels;

namespace Streaming.Core.Histories;

/// <summary>
/// Hands changed histories from the ingestion thread, which owns them, to the publisher. Users who did something wait by
/// their key alone, each once, so memory is bounded by the users kept however long the store is away; what is handed
/// out is the history as of then. Ingestion never waits: while the publisher is busy there is no empty batch to fill.
/// </summary>
public sealed class HistoryFeed
{
    private const int UsersPerBatch = 1024;

    private readonly HistoryStore _histories;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly Dictionary<ulong, long> _touched = [];
    private readonly Queue<ulong> _order = new();
    private readonly int _mostWaiting;
    private readonly Channel<UserHistoryBatch> _empty = Channel.CreateBounded<UserHistoryBatch>(1);
    private readonly Channel<UserHistoryBatch> _filled = Channel.CreateBounded<UserHistoryBatch>(1);
    private long _lastRound;
    private int _sweep = int.MaxValue;
    private int _sweepRequested;
    private int _waiting;
    private int _handedOut;
    private bool _roundIsOpen;

    /// <summary>Creates a feed; nobody waits yet.</summary>
    /// <param name="histories">The histories.</param>
    /// <param name="itemsPerUser">The newest items of a user that are handed out, 1 … <see cref="HistoryStore.MaxLength"/>.</param>
    /// <param name="mostUsers">The most users that wait, 1 and up; beyond it the one that has waited longest is left out until its next event.</param>
    /// <param name="interval">How long at least between two rounds of handing out all that waits.</param>
    /// <param name="time">Clock.</param>
    public HistoryFeed(HistoryStore histories, int itemsPerUser, int mostUsers, TimeSpan interval, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(histories);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostUsers, 1);
        _histories = histories;
        _mostWaiting = mostUsers;
        _interval = interval;
        _time = time;
        _lastRound = time.GetTimestamp();
        _empty.Writer.TryWrite(new UserHistoryBatch(UsersPerBatch, Math.Min(itemsPerUser, histories.Length)));
    }

    /// <summary>Gets how many users wait, those of a batch that was not given back included. Any thread.</summary>
    public int Waiting => Volatile.Read(ref _waiting) + Volatile.Read(ref _handedOut);

    /// <summary>Says that a user's history has changed. Ingestion thread.</summary>
    /// <param name="user">The user's key.</param>
    /// <param name="producedTime">When the record was produced, Unix milliseconds.</param>
    public void Touch(ulong user, long producedTime)
    {
        if (_touched.TryAdd(user, producedTime))
        {
            _order.Enqueue(user);
            if (_order.Count > _mostWaiting)
            {
                _touched.Remove(_order.Dequeue());
            }

            _waiting = _order.Count;
        }
    }

    /// <summary>Asks for every user to be handed out, as after a loss of the store. Any thread.</summary>
    public void TouchAll() => Volatile.Write(ref _sweepRequested, 1);

    /// <summary>Fills a batch when it is time and the publisher has one to fill. Ingestion thread, as often as it likes.</summary>
    public void Offer()
    {
        if ((_roundIsOpen || _time.GetElapsedTime(_lastRound) >= _interval) && _empty.Reader.TryRead(out UserHistoryBatch? batch))
        {
            _lastRound = _roundIsOpen ? _lastRound : _time.GetTimestamp();
            _roundIsOpen = Fill(batch);
            (batch.Count > 0 ? _filled : _empty).Writer.TryWrite(batch);
        }
    }

    /// <summary>Says that the ingestion thread has ended: what still waits is filled by whoever takes.</summary>
    public void Complete() => _filled.Writer.TryComplete();

    /// <summary>Waits for changed histories. One caller, who gives each batch back before he takes the next.</summary>
    /// <returns>Null when ingestion has ended and nobody waits any more.</returns>
    public async ValueTask<UserHistoryBatch?> TakeAsync(CancellationToken cancellationToken)
    {
        if (await _filled.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false) && _filled.Reader.TryRead(out UserHistoryBatch? batch))
        {
            return batch;
        }

        if (_empty.Reader.TryRead(out batch))
        {
            Fill(batch);
            return batch.Count > 0 ? batch : null;
        }

        return null;
    }

    /// <summary>Gives a batch back.</summary>
    public void Return(UserHistoryBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Clear();
        Volatile.Write(ref _handedOut, 0);
        _empty.Writer.TryWrite(batch);
    }

    /// <returns>Whether somebody still waits.</returns>
    private bool Fill(UserHistoryBatch batch)
    {
        while (batch.HasRoom && _order.TryDequeue(out ulong user))
        {
            _touched.Remove(user, out long producedTime);
            batch.Add(_histories, user, producedTime);
        }

        if (Interlocked.Exchange(ref _sweepRequested, 0) != 0)
        {
            _sweep = 0;
        }

        while (batch.HasRoom && _sweep < _histories.UserCount)
        {
            batch.Add(_histories, _histories.UserAt(_sweep++), producedTime: 0);
        }

        if (_sweep >= _histories.UserCount)
        {
            _sweep = int.MaxValue; // users who come later are touched
        }

        Volatile.Write(ref _waiting, _order.Count);
        Volatile.Write(ref _handedOut, batch.Count);
        return _order.Count > 0 || _sweep < int.MaxValue;
    }
}
