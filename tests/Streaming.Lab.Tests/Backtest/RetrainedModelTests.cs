using System.Text;
using Streaming.Core.Hashing;
using Streaming.Core.Items;
using Streaming.Formats.Files;
using Streaming.Lab.Backtest;
using Streaming.Learning.Cpu;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class RetrainedModelTests
{
    private const long Start = 1_000_000_000_000;
    private const long Day = 86_400_000;
    private const long Moment = Start + Day;

    [Fact]
    public void Train_EventAtTheMoment_ChangesNothing()
    {
        float[] without = Trained(Events(), Moment);
        Assert.Equal(without, Trained(Events((Moment, "i9")), Moment));
        Assert.NotEqual(without, Trained(Events((Moment - 1, "i9")), Moment));
    }

    [Fact]
    public void Train_FirstTraining_IsTheSameWarmOrCold()
    {
        float[] warm = Trained(Events(), Moment, features: true);
        Assert.Equal(warm, Trained(Events(), Moment, "Cold", features: true));
        Assert.NotEqual(warm, Trained(Events(), Moment, "Cold", features: false));
        Assert.NotEqual(warm, Trained(Events(), moment: null, features: true));
    }

    [Fact]
    public void Train_Cold_ForgetsTheTrainingBefore()
    {
        const long later = Moment + Day;
        EventLog events = Events((later, "i3"));
        float[] once = Trained(events, later, "Cold");
        Assert.Equal(once, Trained(events, later, "Cold", earlier: Moment));
        Assert.NotEqual(once, Trained(events, later, "Warm", earlier: Moment));
    }

    [Fact]
    public void Train_MorePasses_TrainOnMorePredictions()
    {
        using RetrainedModel once = Create(Events(), "Retrain__Passes=1");
        using RetrainedModel thrice = Create(Events(), "Retrain__Passes=3");
        once.Train(Moment, TestContext.Current.CancellationToken);
        thrice.Train(Moment, TestContext.Current.CancellationToken);
        Assert.Equal(3 * once.Predictions, thrice.Predictions);
        Assert.Equal(1, thrice.Trainings);
        Assert.True(thrice.Processor > TimeSpan.Zero);
    }

    [Fact]
    public void Train_NothingBeforeTheMoment_IsNoTraining()
    {
        using RetrainedModel model = Create(Events());
        model.Train(Start, TestContext.Current.CancellationToken);
        Assert.Equal(0, model.Trainings);
        Assert.Contains("none of 0 steps", Assert.Throws<NonFiniteLossException>(model.ThrowIfUntrained).Message, StringComparison.Ordinal);
    }

    private static ItemFeatures NoFeatures => new([], static () => [], static _ => null);

    /// <summary>Events of a day by eight users, and one of another user at each of some times.</summary>
    private static EventLog Events(params (long Time, string Item)[] more)
    {
        var events = new EventLog();
        for (int i = 0; i < 96; i++)
        {
            events.Add($"u{i % 8}", $"i{i * 7 % 10}", Start + (i * 1_000L), "view");
        }

        foreach ((long time, string item) in more)
        {
            events.Add("late", item, time, "view");
        }

        return events;
    }

    /// <summary>The vectors of all items, and that of a user, after a training.</summary>
    private static float[] Trained(EventLog events, long? moment, string start = "Warm", bool features = false, long? earlier = null)
    {
        BacktestOptions settings = Settings($"Retrain__Start={start}");
        InteractionLog log = InteractionFiles.FromEvents(events, settings, TimeProvider.System, _ => { });
        ItemFeatures itemFeatures = features
            ? new ItemFeatures([new FeatureGroup("text", 2)], () => [.. log.Items.Select((_, row) => (float[])[row, 1])], Change)
            : NoFeatures;
        ModelOptions model = settings.Model with { ItemCapacity = 32, FeatureGroups = itemFeatures.Groups };
        CpuEngine? engine = null;
        using var retrained = new RetrainedModel(
            settings,
            log,
            itemFeatures,
            () =>
            {
                var created = new CpuEngine(model, threads: 1);
                engine ??= created;
                return created;
            },
            settings.Training with
            {
                EvaluateEvery = -1,
            },
            "retrained"
        );
        var setup = new StreamSetup(
            new BacktestRequest { Protocol = BacktestProtocol.Prequential },
            events,
            log,
            _ => itemFeatures,
            retrainEvery: null,
            TimeProvider.System
        );

        // The stream stops at the first moment: what is observed afterwards has untrained rows.
        EventStream stream = new(events, settings, batchSize: 16, historyLength: 5, TimeProvider.System, new HashSet<int> { 96 });
        Func<string, ItemChange?>? catalogue = setup.Catalogue(settings);
        while (stream.Done < 96 && stream.Next(catalogue) is { } batch)
        {
            retrained.Observer.Observe(batch);
        }

        foreach (long due in new[] { earlier, moment }.OfType<long>())
        {
            retrained.Train(due, TestContext.Current.CancellationToken);
        }

        int[] rows = retrained.Observer.Items.Rows.ToArray();
        float[] vectors = new float[(rows.Length + 1) * model.Dimension];
        engine!.EncodeItems(rows, vectors.AsSpan(0, rows.Length * model.Dimension));
        engine.EncodeUsers(new() { Rows = rows.AsSpan(0, 3), Offsets = [0, 3] }, vectors.AsSpan(rows.Length * model.Dimension));
        return vectors;

        ItemChange? Change(string item) =>
            new()
            {
                ItemId = item,
                ItemKey = XxHash64.Hash(Encoding.UTF8.GetBytes(item)),
                Features = new Dictionary<string, float[]> { ["text"] = [log.Items.Index().First(pair => pair.Item == item).Index, 1] },
            };
    }

    private static RetrainedModel Create(EventLog events, params string[] set)
    {
        BacktestOptions settings = Settings(set);
        InteractionLog log = InteractionFiles.FromEvents(events, settings, TimeProvider.System, _ => { });
        var model = new RetrainedModel(
            settings,
            log,
            NoFeatures,
            () => new CpuEngine(settings.Model with { ItemCapacity = 32 }, threads: 1),
            settings.Training,
            "retrained"
        );
        EventStream stream = new(events, settings, batchSize: 16, historyLength: 5, TimeProvider.System);
        while (stream.Next(catalogue: null) is { } batch)
        {
            model.Observer.Observe(batch);
        }

        return model;
    }

    private static BacktestOptions Settings(params string[] set) =>
        BacktestSettings.Load(
            ((string[])["Model__Widths=4,8", "Model__Layers=1", "Model__HistoryLength=5", "Retrain__BatchSize=16", .. set])
                .Select(text => text.Split('=', 2))
                .ToDictionary(pair => pair[0], pair => pair[1]),
            BacktestProtocol.Prequential
        );
}
