using System.Threading.Channels;

namespace Streaming.Core.Histories;

/// <summary>
/// Hands changed histories from the ingestion thread, which owns them, to the publisher. The queue holds each changed user's
/// key once, so memory is bounded by the number of users however long the store is unavailable; the publisher gets the
/// history as of the hand-over. Ingestion never blocks: while the publisher is busy there is no empty batch to fill.
/// </summary>
public sealed class HistoryFeed
{
    /// <summary>Users of a batch: enough for a call per partition to carry dozens, so that calls do not cost more than histories; few
    /// enough to be copied in some milliseconds, for which ingestion waits.</summary>
    public const int UsersPerBatch = 8192;

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

    /// <summary>Creates an empty feed.</summary>
    /// <param name="histories">The histories.</param>
    /// <param name="itemsPerUser">The number of newest items of a user to publish, 1 … <see cref="HistoryStore.MaxLength"/>.</param>
    /// <param name="mostUsers">The maximum queue length, 1 and up; beyond it the user who has waited longest is dropped until
    /// the next event.</param>
    /// <param name="interval">The minimum time between two rounds that drain the queue.</param>
    /// <param name="time">Clock.</param>
    /// <param name="usersPerBatch">Users of a batch, 1 and up.</param>
    public HistoryFeed(
        HistoryStore histories,
        int itemsPerUser,
        int mostUsers,
        TimeSpan interval,
        TimeProvider time,
        int usersPerBatch = UsersPerBatch
    )
    {
        ArgumentNullException.ThrowIfNull(histories);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostUsers, 1);
        _histories = histories;
        _mostWaiting = mostUsers;
        _interval = interval;
        _time = time;
        _lastRound = time.GetTimestamp();
        _empty.Writer.TryWrite(new UserHistoryBatch(usersPerBatch, Math.Min(itemsPerUser, histories.Length)));
    }

    /// <summary>Gets the number of waiting users, including those of a batch not yet returned. Any thread.</summary>
    public int Waiting => Volatile.Read(ref _waiting) + Volatile.Read(ref _handedOut);

    /// <summary>Marks a user's history as changed. Ingestion thread.</summary>
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

    /// <summary>Requests publication of every user, for example after the store lost data. Any thread.</summary>
    public void TouchAll() => Volatile.Write(ref _sweepRequested, 1);

    /// <summary>Fills a batch if the interval has passed and the publisher has an empty one. Ingestion thread, as often as it
    /// likes.</summary>
    public void Offer()
    {
        if ((_roundIsOpen || _time.GetElapsedTime(_lastRound) >= _interval) && _empty.Reader.TryRead(out UserHistoryBatch? batch))
        {
            _lastRound = _roundIsOpen ? _lastRound : _time.GetTimestamp();
            _roundIsOpen = Fill(batch);
            (batch.Count > 0 ? _filled : _empty).Writer.TryWrite(batch);
        }
    }

    /// <summary>Signals that the ingestion thread has ended: <see cref="TakeAsync"/> then fills batches itself.</summary>
    public void Complete() => _filled.Writer.TryComplete();

    /// <summary>Waits for changed histories. Single caller, which returns each batch before it takes the next.</summary>
    /// <returns>Null when ingestion has ended and the queue is empty.</returns>
    public async ValueTask<UserHistoryBatch?> TakeAsync(CancellationToken cancellationToken)
    {
        if (
            await _filled.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false)
            && _filled.Reader.TryRead(out UserHistoryBatch? batch)
        )
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

    /// <summary>Returns a batch for reuse.</summary>
    public void Return(UserHistoryBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Clear();
        Volatile.Write(ref _handedOut, 0);
        _empty.Writer.TryWrite(batch);
    }

    /// <returns>Whether users are still waiting.</returns>
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
            _sweep = int.MaxValue; // users added later are touched
        }

        Volatile.Write(ref _waiting, _order.Count);
        Volatile.Write(ref _handedOut, batch.Count);
        return _order.Count > 0 || _sweep < int.MaxValue;
    }
}
