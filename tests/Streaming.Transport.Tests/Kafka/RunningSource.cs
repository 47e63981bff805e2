using System.Text;
using System.Threading.Channels;
using Streaming.Core.Events;
using Streaming.Core.Hashing;
using Streaming.Core.Ingestion;
using Streaming.Transport.Kafka;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>A running source and its output.</summary>
internal sealed class RunningSource : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly ChannelReader<Batch> _reader;

    public RunningSource(KafkaSource source, Batcher batcher, ChannelReader<Batch> reader)
    {
        Source = source;
        Batcher = batcher;
        _reader = reader;
        Completion = source.RunAsync(_stopping.Token, _abort.Token);
    }

    public KafkaSource Source { get; }

    public Batcher Batcher { get; }

    public Task Completion { get; }

    public List<Batch> Batches { get; } = [];

    public EventCounts Counts { get; private set; }

    /// <summary>The examples as "user item" hashes, in order.</summary>
    public IEnumerable<(ulong User, ulong Item)> Examples =>
        Batches.SelectMany(static batch => Enumerable.Range(0, batch.Count).Select(i => (batch.UserKeys[i], batch.ItemKeys[i])));

    public static ulong Key(string id) => XxHash64.Hash(Encoding.UTF8.GetBytes(id));

    public void RequestStop() => _stopping.Cancel();

    public async Task<Batch> NextAsync()
    {
        Batch batch = await _reader
            .ReadAsync(TestContext.Current.CancellationToken)
            .AsTask()
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Keep(batch);
        return batch;
    }

    public async Task ReadUntilAsync(Func<EventCounts, bool> isEnough)
    {
        while (!isEnough(Counts))
        {
            await NextAsync();
        }
    }

    public async Task ReadAsync(long records) => await ReadUntilAsync(counts => counts.Read >= records);

    /// <summary>Stops, and reads the remaining output.</summary>
    public async Task StopAsync()
    {
        RequestStop();
        await foreach (Batch batch in _reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            Keep(batch);
        }

        await Completion;
    }

    public async ValueTask DisposeAsync()
    {
        _abort.Cancel();
        await Completion.ContinueWith(
            static _ => { },
            TestContext.Current.CancellationToken,
            TaskContinuationOptions.None,
            TaskScheduler.Default
        );
        _stopping.Dispose();
        _abort.Dispose();
    }

    private void Keep(Batch batch)
    {
        Batches.Add(batch);
        EventCounts counts = Counts;
        counts.Add(batch.Counts);
        Counts = counts;
    }
}
