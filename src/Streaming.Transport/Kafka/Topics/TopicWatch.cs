using Confluent.Kafka;

namespace Streaming.Transport.Kafka.Topics;

/// <summary>Looks at the topics in the background, every few seconds and when asked to, and publishes what it saw.</summary>
/// <remarks>A consumer learns little of this by itself: a topic that is deleted, created anew, misspelt or refused is silence to it.</remarks>
internal sealed class TopicWatch : IDisposable
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);
    private readonly Func<Task<IReadOnlyDictionary<string, TopicState>>> _look;
    private readonly TimeSpan _interval;
    private readonly object _gate = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _loop;
    private long _begun;
    private TopicReport _report = TopicReport.None;

    /// <summary>Starts to watch.</summary>
    /// <param name="look">Asks the cluster. Throws <see cref="KafkaException"/> when it does not answer.</param>
    /// <param name="interval">Time between two looks.</param>
    public TopicWatch(Func<Task<IReadOnlyDictionary<string, TopicState>>> look, TimeSpan interval)
    {
        _look = look;
        _interval = interval;
        _loop = Task.Run(WatchAsync);
    }

    /// <summary>Gets the newest report.</summary>
    public TopicReport Report => Volatile.Read(ref _report);

    /// <summary>Gets the number of the next look: one that begins after now.</summary>
    public long Next
    {
        get
        {
            lock (_gate)
            {
                return _begun + 1;
            }
        }
    }

    /// <summary>Asks for a look now.</summary>
    /// <returns>Its number.</returns>
    public long Request()
    {
        long next = Next;
        if (_wake.CurrentCount == 0)
        {
            _wake.Release();
        }

        return next;
    }

    /// <summary>Waits until a look is done.</summary>
    /// <returns>False when it is not within <paramref name="time"/>.</returns>
    public bool Wait(long number, TimeSpan time)
    {
        lock (_gate)
        {
            return Report.Number >= number || (time > TimeSpan.Zero && Monitor.Wait(_gate, time) && Report.Number >= number);
        }
    }

    /// <summary>Ends watching. A look under way is not waited for beyond a second.</summary>
    public void Dispose()
    {
        _ended.Cancel();
        if (_loop.Wait(EndLimit))
        {
            _ended.Dispose();
            _wake.Dispose();
        }
    }

    private async Task WatchAsync()
    {
        try
        {
            while (true)
            {
                long number;
                lock (_gate)
                {
                    number = ++_begun;
                }

                Publish(await LookAsync(number).ConfigureAwait(false));
                await _wake.WaitAsync(_interval, _ended.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // Nobody looks any more.
        }
    }

    private async Task<TopicReport> LookAsync(long number)
    {
        try
        {
            return new TopicReport(number, await _look().ConfigureAwait(false), string.Empty);
        }
        catch (KafkaException exception)
        {
            return Report with { Number = number, Failure = exception.Error.Reason };
        }
    }

    private void Publish(TopicReport report)
    {
        lock (_gate)
        {
            Volatile.Write(ref _report, report);
            Monitor.PulseAll(_gate);
        }
    }
}
