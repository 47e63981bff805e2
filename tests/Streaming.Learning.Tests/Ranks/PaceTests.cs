using Streaming.Learning.Ranks;
using Xunit;
using static Streaming.Learning.Ranks.RankSignals;

namespace Streaming.Learning.Tests.Ranks;

public sealed class PaceTests
{
    private static readonly RankSignals[] All = Enum.GetValues<RankSignals>();

    [Fact]
    public void Steps_AsSoonAsOneRankHasABatch()
    {
        Assert.True(Pace.Of([None, HasBatch, IsAtEnd]).Steps);
        Assert.False(Pace.Of([None, Stops, IsAtEnd]).Steps);
    }

    [Fact]
    public void Stops_AsSoonAsOneRankIsTold()
    {
        Assert.True(Pace.Of([HasBatch, Stops]).Stops);
        Assert.False(Pace.Of([HasBatch, None]).Stops);
    }

    /// <summary>Events of one rank wait for the catalogue that another one reads.</summary>
    [Fact]
    public void ReadsEvents_OnceAllRanksHaveTheirCatalogue()
    {
        Assert.False(Pace.Of([HasCatalogue, HasBatch]).ReadsEvents);
        Assert.True(Pace.Of([HasCatalogue, HasCatalogue | HasBatch]).ReadsEvents);
    }

    [Fact]
    public void Checkpoint_IsAskedForUntilAllHoldASnapshot()
    {
        Assert.True(Pace.Of([WantsCheckpoint, None]).AsksCheckpoint);

        // By its own rule, one rank has a snapshot already: the others must follow, or it would wait for ever.
        Assert.True(Pace.Of([None, HoldsSnapshot]).AsksCheckpoint);
        Assert.False(Pace.Of([HoldsSnapshot, HoldsSnapshot]).AsksCheckpoint);
        Assert.True(Pace.Of([HoldsSnapshot, HoldsSnapshot]).TakesCheckpoint);
        Assert.False(Pace.Of([HoldsSnapshot, None]).TakesCheckpoint);
    }

    /// <summary>One at a time: the trainer has one snapshot.</summary>
    [Fact]
    public void Checkpoint_WaitsForTheOneBeforeIt()
    {
        Assert.False(Pace.Of([HoldsSnapshot | IsWriting, HoldsSnapshot | IsWriting]).TakesCheckpoint);
        Assert.False(Pace.Of([IsWriting | WantsCheckpoint, IsWriting]).AsksCheckpoint);
    }

    [Fact]
    public void Checkpoint_CommitsOnceAllHaveWritten()
    {
        Assert.False(Pace.Of([IsWriting | HasWritten, IsWriting]).Commits);
        Assert.True(Pace.Of([IsWriting | HasWritten, IsWriting | HasWritten]).Commits);
        var committed = Pace.Of([IsWriting | HasWritten | HasCommitted, IsWriting | HasWritten]);
        Assert.True(committed is { Commits: false, IsCommitted: true, IsGivenUp: false });
        var givenUp = Pace.Of([IsWriting | HasWritten | HasGivenUp, IsWriting | HasWritten]);
        Assert.True(givenUp is { Commits: false, IsCommitted: false, IsGivenUp: true });
    }

    /// <summary>A rank whose last records are not safe cannot be part of a checkpoint, and nobody waits for it.</summary>
    [Fact]
    public void Checkpoint_OneRankCannotHold_IsOff()
    {
        var pace = Pace.Of([HoldsSnapshot | IsAtEnd, CannotHold | IsAtEnd]);
        Assert.True(pace is { Releases: true, AsksCheckpoint: false, TakesCheckpoint: false, Ends: true });
    }

    [Fact]
    public void Ends_OnceAllAreAtTheEndAndNothingIsLeft()
    {
        Assert.True(Pace.Of([IsAtEnd, IsAtEnd]).Ends);
        Assert.False(Pace.Of([IsAtEnd, None]).Ends);
        Assert.False(Pace.Of([IsAtEnd, IsAtEnd | HoldsSnapshot]).Ends);
        Assert.False(Pace.Of([IsAtEnd | IsWriting, IsAtEnd | IsWriting]).Ends);
        Assert.False(Pace.Of([IsAtEnd, HasBatch]).Ends);
    }

    /// <summary>For any signals: the decision does not depend on which rank gives which, except that those of checkpoints come from
    /// rank 0; no step falls between the agreement on a checkpoint and its snapshots; nobody leaves with work left.</summary>
    [Fact]
    public void Of_AnySignals_IsConsistent()
    {
        var random = new Random(1);
        for (int round = 0; round < 100_000; round++)
        {
            var ranks = new RankSignals[1 + random.Next(5)];
            for (int rank = 0; rank < ranks.Length; rank++)
            {
                foreach (RankSignals signal in All)
                {
                    ranks[rank] |= random.Next(3) == 0 ? signal : None;
                }
            }

            var pace = Pace.Of(ranks);
            RankSignals[] shuffled = [.. ranks];
            random.Shuffle(shuffled);
            Assert.Equal(pace, Pace.Of(shuffled));
            Assert.False(pace is { TakesCheckpoint: true, Steps: true });
            Assert.False(pace is { TakesCheckpoint: true, AsksCheckpoint: true });
            Assert.False(pace is { Ends: true, Steps: true });
            Assert.False(pace is { Ends: true, TakesCheckpoint: true });
            Assert.Equal(ranks.Any(static rank => rank.HasFlag(HasBatch)), pace.Steps);
        }
    }

    /// <summary>One rank alone is never kept waiting by itself.</summary>
    [Fact]
    public void Of_OneRank_FollowsItself()
    {
        Assert.True(Pace.Of([HasBatch]).Steps);
        Assert.True(Pace.Of([HoldsSnapshot]).TakesCheckpoint);
        Assert.True(Pace.Of([IsAtEnd]).Ends);
        Assert.Throws<ArgumentOutOfRangeException>(() => Pace.Of([]));
    }
}
