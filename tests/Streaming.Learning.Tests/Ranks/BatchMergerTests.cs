using System.Diagnostics;
using Streaming.Core.Events;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Core.Positions;
using Streaming.Core.Tracing;
using Streaming.Learning.Ranks;
using Streaming.Learning.Tests.Training;
using Xunit;

namespace Streaming.Learning.Tests.Ranks;

public sealed class BatchMergerTests
{
    [Fact]
    public void Merge_BatchesOfThreeRanks_IsTheirConcatenationOnEach()
    {
        Batch?[] shares = [Share(1, 5), null, Share(2, 9)];
        var merged = new Batch[3];
        InProcessRanks.Run(
            3,
            ranks =>
            {
                var merger = new BatchMerger(ranks);
                Batch all = merger.Create(16, Batches.HistoryLength);
                merger.Merge(shares[ranks.Rank], all, 7);
                merged[ranks.Rank] = all;
            }
        );

        Assert.All(
            merged,
            all =>
            {
                Assert.Equal(7, all.Sequence);
                Assert.Equal(14, all.Count);
                Assert.Equal(shares[0]!.FullSize + shares[2]!.FullSize, all.FullSize);
                Assert.Equal(shares[0]!.Counts.Read + shares[2]!.Counts.Read, all.Counts.Read);
                Assert.Equal([.. Examples(shares[0]!), .. Examples(shares[2]!)], Examples(all));
                Assert.Equal([.. Changes(shares[0]!), .. Changes(shares[2]!)], Changes(all));
            }
        );
    }

    /// <summary>Positions, snapshot and traces belong to the rank that read the records.</summary>
    [Fact]
    public void Merge_WhatBelongsToARank_StaysThere()
    {
        using var span = new Activity("record");
        InProcessRanks.Run(
            2,
            ranks =>
            {
                Batch own = Share(ranks.Rank, 3 + ranks.Rank);
                own.Positions.Add(new StreamPosition("events", ranks.Rank, 40 + ranks.Rank));
                own.Traces.Add(new TracedRecord(span, 1));
                var ingest = new IngestState(new(), new());
                using IngestSnapshot snapshot = ingest.Share();
                own.Snapshot = ranks.Rank == 1 ? snapshot : null;
                var merger = new BatchMerger(ranks);
                Batch all = merger.Create(16, Batches.HistoryLength);
                merger.Merge(own, all, 0);

                Assert.Equal([new StreamPosition("events", ranks.Rank, 40 + ranks.Rank)], all.Positions);
                Assert.Equal(ranks.Rank == 1 ? snapshot : null, all.Snapshot);
                Assert.Null(own.Snapshot);
                Assert.Equal([new TracedRecord(span, ranks.Rank == 0 ? 1 : 4)], all.Traces);
            }
        );
    }

    [Fact]
    public void Merge_NoRankHasABatch_IsEmpty() =>
        InProcessRanks.Run(
            2,
            ranks =>
            {
                var merger = new BatchMerger(ranks);
                Batch all = merger.Create(16, Batches.HistoryLength);
                merger.Merge(Share(3, 4), all, 0);
                merger.Merge(null, all, 1);
                Assert.Equal((0, 0, 0), (all.Count, all.ItemChanges.Count, all.FullSize));
            }
        );

    /// <summary>A rank whose settings differ would train another model.</summary>
    [Fact]
    public void Merge_HistoriesOfAnotherLength_IsRefused()
    {
        InvalidDataException refused = Assert.Throws<InvalidDataException>(() =>
            InProcessRanks.Run(
                2,
                ranks =>
                {
                    var own = new Batch(16, ranks.Rank == 0 ? Batches.HistoryLength : 9);
                    var merger = new BatchMerger(ranks);
                    merger.Merge(own, merger.Create(16, Batches.HistoryLength), 0);
                }
            )
        );
        Assert.Contains("histories of up to 9", refused.Message, StringComparison.Ordinal);
        Assert.Contains("same settings", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Append_EveryTruncation_IsRefused()
    {
        byte[] bytes = new BatchWriter().Write(Share(4, 6)).ToArray();
        for (int length = 0; length < bytes.Length; length++)
        {
            Batch all = Batches.Create(16);
            int cut = length;
            Assert.Throws<InvalidDataException>(() => BatchReader.Append(bytes.AsSpan(0, cut), all));
        }
    }

    private static Batch Share(int seed, int count)
    {
        var random = new Random(seed);
        Batch batch = Batches.Random(random, seed, count, 40);
        batch.FullSize = 8 + seed;
        batch.Counts = new EventCounts { Read = 20 + seed, Trained = count };
        for (int i = 0; i < count; i++)
        {
            batch.UserKeys[i] = (ulong)random.NextInt64();
            batch.Weights[i] = random.NextSingle();
        }

        batch.ItemChanges.Add(
            new ItemChange
            {
                ItemKey = 5,
                ItemId = "größe",
                ProducedTime = 17,
                Attributes = seed % 2 == 0 ? "{}" : null,
                Features = new Dictionary<string, float[]> { ["text"] = [1f, random.NextSingle()], ["none"] = [] },
                Text = new Dictionary<string, string> { ["title"] = $"Schuh {seed}" },
            }
        );
        batch.ItemChanges.Add(
            new ItemChange
            {
                ItemKey = 6,
                ItemId = "gone",
                IsRemoved = true,
            }
        );
        return batch;
    }

    private static List<string> Examples(Batch batch) =>
        [
            .. Enumerable
                .Range(0, batch.Count)
                .Select(i =>
                    string.Join(
                        ' ',
                        batch.UserKeys[i],
                        batch.ItemKeys[i],
                        batch.Weights[i],
                        batch.EventTimes[i],
                        batch.ProducedTimes[i],
                        batch.IsRepeat[i],
                        batch.IsKnownUser[i],
                        Convert.ToHexString(batch.ItemIdBytes[batch.ItemIdOffsets[i]..batch.ItemIdOffsets[i + 1]]),
                        string.Join(',', batch.HistoryItems[batch.HistoryOffsets[i]..batch.HistoryOffsets[i + 1]])
                    )
                ),
        ];

    private static List<string> Changes(Batch batch) =>
        [
            .. batch.ItemChanges.Select(static change =>
                string.Join(
                    ' ',
                    change.ItemKey,
                    change.ItemId,
                    change.IsRemoved,
                    change.ProducedTime,
                    change.Attributes ?? "(none)",
                    string.Join(';', change.Features.Select(static group => $"{group.Key}={string.Join(',', group.Value)}")),
                    string.Join(';', change.Text)
                )
            ),
        ];
}
