using Streaming.Learning.Cpu;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Ranks;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Cpu.Ranks;

public sealed class ShardedEncodeTests
{
    private static readonly ModelOptions Model = TestEngines.Options(TowerKind.FmrlRec);

    [Fact]
    public void EncodeItems_OtherRowsOnEachRank_AreThoseOfOneEngine()
    {
        using CpuEngine one = TestEngines.Create(Model);
        int[][] asked =
        [
            [3, 0, 39, 3, 7],
            [],
            [7],
        ];
        float[][] found = [new float[5 * 32], [], new float[32]];
        InProcessRanks.Run(
            3,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                engine.EncodeItems(asked[ranks.Rank], found[ranks.Rank]);
            }
        );
        float[] expected = new float[5 * 32];
        one.EncodeItems(asked[0], expected);
        Assert.Equal(expected, found[0]);
        Assert.Equal(expected[^32..], found[2]);
    }

    // More users than one block on rank 0, none on rank 1.
    [Fact]
    public void EncodeUsers_UnevenNumbers_AreThoseOfOneEngine()
    {
        var many = new RandomBatch(1, 700, 12, TestEngines.Items);
        var few = new RandomBatch(2, 3, 12, TestEngines.Items);
        float[][] found = [new float[700 * 32], [], new float[3 * 32]];
        InProcessRanks.Run(
            3,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                engine.EncodeUsers(
                    ranks.Rank switch
                    {
                        0 => many.Sequences,
                        1 => new() { Rows = [], Offsets = [0] },
                        _ => few.Sequences,
                    },
                    found[ranks.Rank]
                );
            }
        );
        using CpuEngine one = TestEngines.Create(Model);
        float[] expected = new float[700 * 32];
        one.EncodeUsers(many.Sequences, expected);
        Assert.Equal(expected, found[0]);
        one.EncodeUsers(few.Sequences, expected.AsSpan(0, 3 * 32));
        Assert.Equal(expected[..(3 * 32)], found[2]);
    }

    [Fact]
    public void EncodeItems_NoRankAsksForAny_ReturnsAtOnce()
    {
        long sent = -1;
        InProcessRanks.Run(
            2,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                engine.EncodeItems([], []);
                engine.EncodeUsers(new() { Rows = [], Offsets = [0] }, []);
                sent = ranks.BytesSent;
            }
        );
        Assert.Equal(2 * sizeof(int), sent);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Encode_OneRankHasAnUnknownRow_AllRanksThrow(bool items)
    {
        var errors = new Exception?[2];
        InProcessRanks.Run(
            2,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                int[] rows = [ranks.Rank == 1 ? 64 : 3];
                errors[ranks.Rank] = Record.Exception(() =>
                {
                    if (items)
                    {
                        engine.EncodeItems(rows, new float[32]);
                    }
                    else
                    {
                        engine.EncodeUsers(new() { Rows = rows, Offsets = [0, 1] }, new float[32]);
                    }
                });
            }
        );
        Assert.Contains("64", Assert.IsType<ArgumentException>(errors[1]).Message, StringComparison.Ordinal);
        Assert.Contains("Rank 1 refused", Assert.IsType<InvalidOperationException>(errors[0]).Message, StringComparison.Ordinal);
    }

    private static ShardedCpuEngine Create(Collective ranks)
    {
        var engine = new ShardedCpuEngine(Model, 1, ranks);
        TestEngines.Fill(engine);
        return engine;
    }
}
