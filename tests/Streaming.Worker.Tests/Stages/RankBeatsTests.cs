using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

public sealed class RankBeatsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly ManualTime _time = new();

    [Fact]
    public void Silent_OneRankTellsNothingNew_IsNamedAfterTheLimit()
    {
        var beats = new RankBeats(3, _time);
        Assert.Empty(beats.Silent([Beat(0, 1), Beat(1, 1)], Limit));
        _time.Advance(Limit / 2);
        Assert.Empty(beats.Silent([Beat(0, 2), Beat(1, 1)], Limit));
        _time.Advance(Limit / 2 + TimeSpan.FromSeconds(1));

        // Rank 2 has never told anything; what rank 1 has told is what it told at first.
        Assert.Equal(["rank 1 (host:1)", "rank 2"], beats.Silent([Beat(0, 3), Beat(1, 1)], Limit));
    }

    [Fact]
    public void Silent_AfterTheStoreWasAway_EveryRankGetsItsTimeAgain()
    {
        var beats = new RankBeats(2, _time);
        _time.Advance(Limit * 2);
        beats.Clear();
        Assert.Empty(beats.Silent([], Limit));
        _time.Advance(Limit * 2);
        Assert.Equal(["rank 0", "rank 1"], beats.Silent([], Limit));
    }

    [Fact]
    public void Text_OfABeat_IsReadBack()
    {
        RankBeat beat = Beat(7, 12);
        Assert.Equal(beat, RankBeat.Parse(7, beat.Text));
        Assert.Throws<FormatException>(static () => RankBeat.Parse(0, "12 host:1"));
    }

    private static RankBeat Beat(int rank, long beat) => new(rank, 5, beat, $"host:{rank}");
}
