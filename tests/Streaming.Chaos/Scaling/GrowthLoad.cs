using System.Globalization;
using System.Text;
using Confluent.Kafka;

namespace Streaming.Chaos.Scaling;

/// <summary>Sends a catalogue and events: 20,000 users, items by a power law over the whole catalogue.</summary>
internal sealed class GrowthLoad : IDisposable
{
    /// <summary>Items at the end of the catalogue that occur in no event but those of the probe.</summary>
    public const int Reserved = 500;

    private const int Users = 20_000;
    private const double Skew = 3;
    private readonly int _items;
    private readonly Random _random = new(1);
    private readonly IProducer<string, byte[]> _producer;
    private long _failed;

    public GrowthLoad(string servers, int items)
    {
        _items = items;
        _producer = new ProducerBuilder<string, byte[]>(
            new ProducerConfig
            {
                BootstrapServers = servers,
                LingerMs = 5,
                QueueBufferingMaxMessages = 500_000,
            }
        ).Build();
    }

    /// <summary>Gets the events sent.</summary>
    public long Sent { get; private set; }

    public static string Id(int item) => string.Create(CultureInfo.InvariantCulture, $"item-{item}");

    /// <summary>Sends catalogue records, never more than 50,000 ahead of what was taken in.</summary>
    /// <param name="taken">Items that the worker has.</param>
    public async Task FillAsync(Func<Task<double>> taken)
    {
        double known = 0;
        for (int item = 0; item < _items; item++)
        {
            Send(ChaosServers.Items, Id(item), $$"""{"item_id":"{{Id(item)}}"}""");
            while (item % 1_000 == 0 && item - known > 50_000)
            {
                known = await taken().ConfigureAwait(false);
                await Task.Delay(50).ConfigureAwait(false);
            }
        }

        Flush();
        while (await taken().ConfigureAwait(false) < _items)
        {
            await Task.Delay(100).ConfigureAwait(false);
        }
    }

    /// <summary>Sends an event of a random item that is not reserved.</summary>
    public void SendEvent(long time) => SendEvent((int)((_items - Reserved) * Math.Pow(_random.NextDouble(), Skew)), time);

    /// <summary>Sends an event of an item.</summary>
    public void SendEvent(int item, long time)
    {
        string user = string.Create(CultureInfo.InvariantCulture, $"user-{_random.Next(Users)}");
        Send(
            "interactions",
            user,
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"user_id":"{{user}}","item_id":"{{Id(item)}}","type":"click","event_time_ms":{{time}}}"""
            )
        );
        Sent++;
    }

    /// <summary>Waits until the broker has everything.</summary>
    /// <exception cref="InvalidOperationException">Some was not delivered.</exception>
    public void Flush()
    {
        _producer.Flush(TimeSpan.FromMinutes(1));
        if (Volatile.Read(ref _failed) > 0)
        {
            throw new InvalidOperationException($"{_failed} records were not delivered.");
        }
    }

    public void Dispose() => _producer.Dispose();

    private void Send(string topic, string key, string value)
    {
        var message = new Message<string, byte[]> { Key = key, Value = Encoding.UTF8.GetBytes(value) };
        while (true)
        {
            try
            {
                _producer.Produce(topic, message, Delivered);
                return;
            }
            catch (ProduceException<string, byte[]> exception) when (exception.Error.Code == ErrorCode.Local_QueueFull)
            {
                _producer.Poll(TimeSpan.FromMilliseconds(20));
            }
        }
    }

    private void Delivered(DeliveryReport<string, byte[]> report)
    {
        if (report.Error.IsError)
        {
            Interlocked.Increment(ref _failed);
        }
    }
}
