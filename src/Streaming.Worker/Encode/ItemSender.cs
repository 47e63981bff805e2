using System.Text.Json;
using Streaming.Encoders.Catalogues;
using Streaming.Formats.Catalogues;
using Streaming.Transport.Kafka;

namespace Streaming.Worker.Encode;

/// <summary>
/// Sends the records of an encoded catalogue to the items topic. A file next to it keeps which were delivered, so that the next run sends
/// what is new; a record that was sent when a run was killed is sent again, which changes nothing.
/// </summary>
internal sealed class ItemSender : IDisposable
{
    private const int Unconfirmed = 256;

    private readonly string _path;
    private readonly string _topic;
    private readonly EventProducer _producer;
    private readonly SourceLog _sent;

    /// <summary>Opens the file of what was delivered.</summary>
    /// <param name="path">The encoded catalogue.</param>
    /// <param name="topic">The items topic.</param>
    /// <param name="producer">Sends to it.</param>
    public ItemSender(string path, string topic, EventProducer producer)
    {
        _path = path;
        _topic = topic;
        _producer = producer;
        _sent = SourceLog.Open(LedgerOf(path));
    }

    /// <summary>The file of what was delivered.</summary>
    public static string LedgerOf(string path) => path + ".sent";

    /// <summary>Sends what is not delivered yet.</summary>
    /// <param name="progress">Called with the number of records delivered.</param>
    /// <param name="stopping">Stops after the records that are under way.</param>
    /// <returns>The number of records delivered.</returns>
    public long Run(Action<long> progress, CancellationToken stopping)
    {
        var encoded = SourceLog.Open(_path);
        encoded.Dispose(); // What it read stays; the file is open to one at a time.
        var waiting = new List<(string Item, string Source)>(Unconfirmed);
        long delivered = 0;
        foreach (CatalogueItem item in CatalogueFile.Read(_path, static _ => { }))
        {
            string source = $"{encoded.Find(item.Id)} {_topic}";
            if (_sent.Find(item.Id) == source)
            {
                continue;
            }

            _producer.Send(ItemMessages.Create(item.Id, item.Text, item.Features, item.Attributes));
            waiting.Add((item.Id, source));
            if (waiting.Count == Unconfirmed)
            {
                delivered += Confirm(waiting);
                progress(delivered);
                stopping.ThrowIfCancellationRequested();
            }
        }

        delivered += Confirm(waiting);
        _sent.Compact(item => encoded.Find(item) is not null);
        return delivered;
    }

    /// <inheritdoc/>
    public void Dispose() => _sent.Dispose();

    private int Confirm(List<(string Item, string Source)> waiting)
    {
        _producer.Flush(CancellationToken.None);
        foreach ((string item, string source) in waiting)
        {
            _sent.Append(item, source, JsonSerializer.SerializeToUtf8Bytes(new { item_id = item, source }));
        }

        _sent.Flush();
        int count = waiting.Count;
        waiting.Clear();
        return count;
    }
}
