using Confluent.Kafka;

namespace Streaming.Transport.Kafka.Topics;

/// <summary>Checks the topics in the background, every few seconds and on request, and publishes the result.</summary>
/// <remarks>A consumer reports little of this: a topic that is deleted, recreated, misspelt or denied just delivers nothing.</remarks>
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

    /// <summary>Starts watching.</summary>
    /// <param name="look">Queries the cluster. Throws <see cref="KafkaException"/> if it does not answer.</param>
    /// <param name="interval">Time between two looks.</param>
    public TopicWatch(Func<Task<IReadOnlyDictionary<string, TopicState>>> look, TimeSpan interval)
    {
        _look = look;
        _interval = interval;
        _loop = Task.Run(WatchAsync);
    }

    /// <summary>Gets the newest report.</summary>
    public TopicReport Report => Volatile.Read(ref _report);

    /// <summary>Gets the number of the next look, which starts after this call.</summary>
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

    /// <summary>Requests a look now.</summary>
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

    /// <summary>Waits for a look to complete.</summary>
    /// <returns>False if it does not within <paramref name="time"/>.</returns>
    public bool Wait(long number, TimeSpan time)
    {
        lock (_gate)
        {
            return Report.Number >= number || (time > TimeSpan.Zero && Monitor.Wait(_gate, time) && Report.Number >= number);
        }
    }

    /// <summary>Stops watching. Waits at most a second for a look in progress.</summary>
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
            // The watch has ended.
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
