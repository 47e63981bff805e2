using Streaming.Core.Refreshes;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Tests.Training;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Checkpoints;

public sealed class HashedSnapshotTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Hashes_OneByteOfATensorDiffers_OnlyItsHashDiffers()
    {
        byte[] first = new byte[3_000_000];
        IReadOnlyDictionary<string, ulong> a = Hashes(("one", first), ("two", first), ("none", []));
        first[2_500_000] ^= 1;
        IReadOnlyDictionary<string, ulong> b = Hashes(("one", first), ("two", new byte[3_000_000]), ("none", []));
        Assert.Equal(3, a.Count);
        Assert.NotEqual(a["one"], b["one"]);
        Assert.Equal(a["two"], b["two"]);
        Assert.Equal(a["none"], b["none"]);
    }

    [Fact]
    public void Hashes_SameBytesInAnotherShape_Differ() =>
        Assert.NotEqual(Hashes(("one", new byte[8]))["one"], Hashes(("one", new byte[9]))["one"]);

    [Fact]
    public void Hashes_CountersOfTheTrainer_CoverAllButTheRefreshes()
    {
        ulong expected = Counters(new long[8]);
        for (int i = 0; i < 8; i++)
        {
            long[] values = new long[8];
            values[i] = 1;
            Assert.Equal(i == 6, Counters(values) == expected);
        }
    }

    /// <summary>Which counter is that of the refreshes is the trainer's to say.</summary>
    [Fact]
    public void Hashes_TrainerPostsRefreshes_AreThoseOfBefore()
    {
        using var engine = new FakeEngine(
            new ModelOptions
            {
                Widths = [4, 8],
                ItemCapacity = 64,
                HistoryLength = Batches.HistoryLength,
                BankCapacity = 16,
            }
        );
        using var trainer = new Trainer(engine, new TrainerOptions { EvaluateEvery = -1 });
        trainer.Train(Batches.Random(new Random(1), 0, 16, 40));
        ulong before = Counters(trainer);
        using var outbox = new RefreshOutbox();
        Assert.True(trainer.CollectChanges(outbox) > 0);
        Assert.True(trainer.Counters.Refreshes > 0);
        Assert.Equal(before, Counters(trainer));
        trainer.Train(Batches.Random(new Random(2), 1, 16, 40));
        Assert.NotEqual(before, Counters(trainer));
    }

    [Theory]
    [InlineData("ranks.share", false)]
    [InlineData("items.embedding", false)]
    [InlineData("items.embedding.adam_m", false)]
    [InlineData("items.features", false)]
    [InlineData("items.projection.weight", true)]
    [InlineData("bank.vectors", true)]
    [InlineData("optimizer.counters", true)]
    public void IsReplicatedInEngine_ItemRows_AreNot(string tensor, bool expected) =>
        Assert.Equal(expected, HashedSnapshot.IsReplicatedInEngine(tensor));

    private static ulong Counters(Trainer trainer)
    {
        using TrainerSnapshot snapshot = trainer.BeginSnapshot();
        return Hashes(snapshot.Trainer)["trainer.counters"];
    }

    private static ulong Counters(long[] values)
    {
        using var set = new TensorSet();
        set.Add<long>("trainer.counters", values);
        return Hashes(set)["trainer.counters"];
    }

    private static IReadOnlyDictionary<string, ulong> Hashes(params (string Name, byte[] Values)[] tensors)
    {
        using var set = new TensorSet();
        foreach ((string name, byte[] values) in tensors)
        {
            set.Add<byte>(name, values);
        }

        return Hashes(set);
    }

    private static IReadOnlyDictionary<string, ulong> Hashes(TensorSnapshot snapshot)
    {
        using var hashed = new HashedSnapshot(snapshot, static _ => true);
        Safetensors.WriteOnce(hashed, Stream.Null, Cancellation);
        return hashed.Hashes();
    }
}
