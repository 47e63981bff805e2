using System.Buffers.Binary;
using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Hashing;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Snapshots;
using Streaming.Tests;
using Xunit;

namespace Streaming.Core.Tests.Ingestion;

public class IngestStateTests
{
    [Fact]
    public void Read_SmallerBounds_KeepsTheNewest()
    {
        IngestState state = new(new HistoryOptions { Length = 10, MaxUsers = 100 }, new DedupOptions { Capacity = 100 });
        ulong[] before = new ulong[10];
        for (int i = 0; i < 1000; i++)
        {
            state.Histories.Append((ulong)(i % 100), (ulong)i, i, 0, before);
            state.Dedup.TryAdd((ulong)i, i);
        }

        var smaller = IngestState.Read(
            new MemoryStream(Write(state)),
            new HistoryOptions { Length = 3, MaxUsers = 20 },
            new DedupOptions { Capacity = 5 }
        );
        Assert.Equal(20, smaller.Histories.UserCount);
        Assert.Equal(0, smaller.Histories.Get(79, before));
        Assert.Equal(3, smaller.Histories.Get(80, before));
        Assert.Equal([780UL, 880UL, 980UL], before[..3]);
        Assert.Equal(5, smaller.Dedup.Count);
        Assert.False(smaller.Dedup.TryAdd(995, 1000));
        Assert.True(smaller.Dedup.TryAdd(994, 1000));
    }

    [Fact]
    public void WriteTo_WhileAnotherThreadWrites_IsAsOfItsMoment()
    {
        IngestState state = new(new HistoryOptions { Length = 20, MaxUsers = 3000 }, new DedupOptions { Capacity = 10_000 });
        Fill(state, 0, 50_000);
        byte[] expected = Write(state);
        for (int round = 0; round < 5; round++)
        {
            using IngestSnapshot snapshot = state.Share();
            byte[]? written = null;
            Thread writer = new(() => written = Write(snapshot));
            writer.Start();
            Fill(state, 50_000 * (round + 1), 50_000);
            writer.Join();
            Assert.True(expected.AsSpan().SequenceEqual(written));
            expected = Write(state);
        }
    }

    [Fact]
    public void Read_VersionOne_HasNothingShed()
    {
        using MemoryStream bytes = new();
        CheckedWriter writer = new(bytes);
        foreach (
            long word in (long[])
                [
                    IngestState.Magic,
                    1,
                    7,
                    60,
                    50,
                    30,
                    15,
                    10,
                    5, /* users, evictions */
                    0,
                    0, /* ids */
                    0,
                    0,
                ]
        )
        {
            writer.WriteInt64(word);
        }

        writer.Complete();
        IngestState state = Read(bytes.ToArray());
        Assert.Equal(7, state.NextSequence);
        Assert.Equal(
            new EventCounts
            {
                Read = 60,
                Decoded = 50,
                Trained = 30,
                HistoryOnly = 15,
                DeadLettered = 10,
                Duplicates = 5,
            },
            state.Totals
        );
    }

    [Fact]
    public void Read_VersionTwo_KnowsNoPartitions()
    {
        using MemoryStream bytes = new();
        CheckedWriter writer = new(bytes);
        long[] head = [IngestState.Magic, 2, 7, 60, 50, 30, 15, 10, 5, 3];
        long[] histories = [1, 4, 77, 2, 100, 5_000, 101, 6_000];
        long[] ids = [1, 9_000, 42, 8_000];
        foreach (long word in (long[])[.. head, .. histories, .. ids])
        {
            writer.WriteInt64(word);
        }

        writer.Complete();
        IngestState state = Read(bytes.ToArray());
        Assert.Equal(3, state.Totals.Shed);
        Assert.Equal(4, state.Histories.Evictions);
        var held = StoredUsers.Of(state);
        Assert.Equal(new(77, HistoryStore.UnknownPartition, "(100, 5000) (101, 6000)"), Assert.Single(held.Users));
        Assert.Equal([(42UL, 8_000L)], held.Ids);
        Assert.Equal(3, held.Head.Version);
    }

    [Fact]
    public void Read_WhatWasWritten_IsTheSameBytes()
    {
        IngestState state = Small();
        state.Histories.Append(1, 5, 1_000, 0, new ulong[5], partition: 12);
        state.Histories.Append(2, 5, 1_000, 0, new ulong[5], partition: 65_534);
        byte[] bytes = Write(state);
        Assert.Equal(bytes, Write(Read(bytes)));
        Assert.Equal([12, 65_534], StoredUsers.Of(Read(bytes)).Users.TakeLast(2).Select(static user => user.Partition));
    }

    [Fact]
    public void Summary_OfRanks_IsTheirSum()
    {
        IngestState state = Small();
        state.Histories.Append(1, 5, 1_000, 0, new ulong[5], partition: 12);
        state.NextSequence = 9;
        state.Totals = new EventCounts { Read = 3, Trained = 2 };
        var one = IngestSummary.Read(new MemoryStream(Write(state)));
        Assert.Equal((10, 9), (one.Users, one.UnknownPartitions));
        IngestSummary two = one.With(one with { NextSequence = 11 });
        Assert.Equal((20, 18, 11), (two.Users, two.UnknownPartitions, two.NextSequence));
        Assert.Equal((2 * one.HistoryItems, 2 * one.EventIds), (two.HistoryItems, two.EventIds));
        Assert.Equal((6, 4), (two.Totals.Read, two.Totals.Trained));
    }

    [Fact]
    public void Read_AnyByteAltered_IsRefused()
    {
        byte[] good = Write(Small());
        for (int i = 0; i < good.Length; i++)
        {
            byte[] bad = (byte[])good.Clone();
            bad[i] ^= 0x40;
            Assert.Throws<InvalidDataException>(() => Read(bad));
        }
    }

    [Fact]
    public void Read_CutOffAnywhere_IsRefused()
    {
        byte[] good = Write(Small());
        for (int length = 0; length < good.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => Read(good[..length]));
        }
    }

    [Theory]
    [InlineData(0, 1L, "not an ingestion snapshot")]
    [InlineData(1, 4L, "format version 4; this program reads versions 1 to 3")]
    [InlineData(2, -1L, "next batch -1")]
    [InlineData(10, long.MaxValue, "number of users 9223372036854775807")]
    [InlineData(13, 0L, "history length 0")]
    [InlineData(13, 2000L, "history length 2000")]
    [InlineData(13, (65_536L << 32) | 1, "partition 65536; allowed: 0 to 65535")]
    [InlineData(13, (-1L << 32) | 1, "partition -1")]
    public void Read_WellSummedButWrong_SaysWhatIsWrong(int word, long value, string expected)
    {
        byte[] bytes = Alter(Write(Small()), word, value);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Read(bytes));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RandomBytes_IsRefused()
    {
        Random random = new(5);
        byte[] bytes = new byte[300];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            BinaryPrimitives.WriteInt32LittleEndian(bytes, 8 * random.Next(40));
            Assert.Throws<InvalidDataException>(() => Read(bytes[..random.Next(bytes.Length)]));
        }
    }

    [Theory]
    [InlineData(15, 7L, "event time in order 6")] // the second time is 6
    [InlineData(18, 1L, "user 0000000000000001 twice")]
    public void Read_HistoriesThatCannotBe_AreRefused(int word, long value, string expected)
    {
        IngestState state = new(new HistoryOptions { Length = 5, MaxUsers = 10 }, new DedupOptions { Capacity = 10 });
        ulong[] before = new ulong[5];
        state.Histories.Append(1, 100, 5, 0, before);
        state.Histories.Append(1, 101, 6, 0, before);
        state.Histories.Append(2, 102, 7, 0, before);
        byte[] bytes = Alter(Write(state), word, value);
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Read(bytes)).Message, StringComparison.Ordinal);
    }

    /// <summary>Words changed, truncated or duplicated, with correct checksums, so that the checks behind them are reached.</summary>
    [Fact]
    [Trait("Kind", Fuzz.Kind)]
    public void Read_HostileButWellSummed_RefusesOrReadsInBoundedMemory()
    {
        byte[] good = Write(Small());
        long[] extremes = [0, 1, -1, 5, 11, 2000, int.MaxValue, 100_000_000, long.MaxValue, long.MinValue];
        int words = BinaryPrimitives.ReadInt32LittleEndian(good) / 8;
        (int cases, int accepted) = Fuzz.Run(
            7,
            20_000,
            2 << 20,
            random =>
            {
                byte[] bytes = [.. good];
                for (int change = random.Next(3); change >= 0; change--)
                {
                    Alter(bytes, random.Next(words), random.Next(2) == 0 ? extremes[random.Next(extremes.Length)] : random.NextInt64());
                }

                try
                {
                    Read(bytes);
                    return true;
                }
                catch (InvalidDataException)
                {
                    return false;
                }
            }
        );
        Assert.InRange(accepted, cases / 20, cases * 19 / 20);
    }

    private static byte[] Alter(byte[] bytes, int word, long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(4 + (8 * word)), value);
        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(4 + length), XxHash64.Hash(bytes.AsSpan(4, length), 0));
        return bytes;
    }

    private static IngestState Small()
    {
        IngestState state = new(new HistoryOptions { Length = 5, MaxUsers = 10 }, new DedupOptions { Capacity = 10 });
        Fill(state, 0, 30);
        return state;
    }

    private static void Fill(IngestState state, int first, int count)
    {
        ulong[] before = new ulong[state.Histories.Length];
        Random random = new(first);
        for (int i = first; i < first + count; i++)
        {
            state.Histories.Append((ulong)random.Next(4000), (ulong)i, i, 0, before);
            state.Dedup.TryAdd((ulong)random.NextInt64(), i);
        }
    }

    private static IngestState Read(byte[] bytes) =>
        IngestState.Read(new MemoryStream(bytes), new HistoryOptions { Length = 5, MaxUsers = 10 }, new DedupOptions { Capacity = 10 });

    private static byte[] Write(IngestState state)
    {
        using IngestSnapshot snapshot = state.Share();
        return Write(snapshot);
    }

    private static byte[] Write(IngestSnapshot snapshot)
    {
        using MemoryStream stream = new();
        snapshot.WriteTo(stream);
        return stream.ToArray();
    }
}
