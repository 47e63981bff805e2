using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;

namespace Streaming.Benchmarks;

/// <summary>Decoding, rules, dedup, histories and batching on one thread, starting from a record's bytes.</summary>
internal static class IngestRun
{
    private const int Events = 400_000;
    private const int Users = 10_000;
    private const int Items = 50_000;
    private const long Start = 1_700_000_000_000;

    /// <summary>Prints a row per format: the median of the passes after histories have stopped growing.</summary>
    public static void Run(TextWriter output)
    {
        output.WriteLine($"{Events:N0} events, {Users:N0} users, {Items:N0} items, histories of 50, batches of 128, one thread");
        foreach (RecordFormat format in (RecordFormat[])[RecordFormat.Protobuf, RecordFormat.Json])
        {
            byte[][] records = MakeRecords(format);
            Ingestion ingestion = new(format);
            var seconds = new List<double>();
            long allocated = 0;
            for (int pass = 0; pass < 6; pass++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                long begun = Stopwatch.GetTimestamp();
                ingestion.Take(records, pass);
                if (pass > 1)
                {
                    seconds.Add(Stopwatch.GetElapsedTime(begun).TotalSeconds);
                }

                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            }

            output.WriteLine(
                $"{format, -9} {Events / Timing.Median(seconds), 11:N0} events/s  {allocated / (double)Events:F3} bytes allocated an "
                    + $"event in the last pass  {records.Average(record => record.Length):F0} bytes a record"
            );
        }
    }

    private static byte[][] MakeRecords(RecordFormat format)
    {
        var random = new Random(1);
        byte[][] records = new byte[Events][];
        for (int i = 0; i < Events; i++)
        {
            var interaction = new Interaction
            {
                UserId = $"user-{random.Next(Users)}",
                ItemId = $"item-{random.Next(Items)}",
                Type = "view",
                EventTimeMs = Start + i,
            };
            records[i] =
                format == RecordFormat.Protobuf
                    ? interaction.ToByteArray()
                    : Encoding.UTF8.GetBytes(
                        $"{{\"user_id\":\"{interaction.UserId}\",\"item_id\":\"{interaction.ItemId}\",\"type\":\"view\",\"event_time_ms\":{interaction.EventTimeMs}}}"
                    );
        }

        return records;
    }

    private sealed class Ingestion
    {
        private readonly EventDecoder _decoder;
        private readonly BatchPool _pool = new(128, new HistoryOptions().Length);
        private readonly Batcher _batcher;

        public Ingestion(RecordFormat format)
        {
            _decoder = new EventDecoder(format, 1 << 20);
            var rules = new EventRules(
                new EventTypes(new Dictionary<string, float>(StringComparer.Ordinal) { ["view"] = 1 }),
                TimeSpan.FromDays(1),
                TimeProvider.System
            );
            var state = new IngestState(new HistoryOptions(), new DedupOptions());
            var options = new BatcherOptions { BatchSize = 128, Linger = Timeout.InfiniteTimeSpan };
            var feed = new HistoryFeed(
                state.Histories,
                itemsPerUser: 50,
                mostUsers: 1_000_000,
                TimeSpan.FromSeconds(1),
                TimeProvider.System
            );
            _batcher = new Batcher(options, rules, state, new StreamPositions(["interactions"], []), _pool, TimeProvider.System, feed);
            _ = Task.Run(() => DrainAsync(feed));
        }

        public void Take(byte[][] records, int pass)
        {
            for (int i = 0; i < records.Length; i++)
            {
                DeadLetterReason reason = _decoder.Decode(records[i], out InteractionEvent interaction);
                if (reason != DeadLetterReason.None)
                {
                    throw new InvalidOperationException($"Record {i} does not decode: {reason}.");
                }

                _batcher.Add(interaction, Start, partition: 0);
                _batcher.Advance(0, 0, ((long)pass * records.Length) + i);
                if (_batcher.IsDue)
                {
                    _pool.Return(_batcher.Seal());
                }
            }
        }

        /// <summary>Takes changed histories like the publisher, and discards them.</summary>
        private static async Task DrainAsync(HistoryFeed feed)
        {
            while (await feed.TakeAsync(CancellationToken.None).ConfigureAwait(false) is { } histories)
            {
                feed.Return(histories);
            }
        }
    }
}
