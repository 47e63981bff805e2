using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Formats.Inputs;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Models.State;
using Streaming.Transport.Redis;
using Streaming.Worker.Stages;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

/// <summary>What a pipeline starts from, and that nothing is left open when it cannot start.</summary>
public sealed class PipelineStateTests : IDisposable
{
    private static readonly StreamPosition[] Positions = [new("interactions", 0, 123), new("items", 0, 7)];
    private readonly string _folder = Directory.CreateTempSubdirectory("pipeline-state-").FullName;
    private readonly RecordingLoggers _log = new();
    private readonly List<PlantedEngine> _engines = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Restore_NoCheckpoint_BeginsANewModel()
    {
        StageOptions settings = Settings("own");

        using PipelineState state = Restore(settings, RunPlan.First);

        Assert.Empty(state.Positions);
        Assert.Equal(0, state.Ingest.NextSequence);
        Assert.Equal(settings.Model.HistoryLength, state.Ingest.Histories.Length);
        Assert.Equal(0, state.Trainer.Counters.Steps);
        Assert.True(_log.Has($"No checkpoint in {settings.Checkpoint.Folder}; starting a new model"), _log.Text);
    }

    [Fact]
    public void Restore_KeepsNoCheckpoints_BeginsANewModel()
    {
        using var state = PipelineState.Restore(Settings(string.Empty), RunPlan.First, store: null, _log, Engine);

        Assert.Empty(state.Positions);
        Assert.True(_log.Has("No checkpoint in (none); starting a new model"), _log.Text);
    }

    [Fact]
    public async Task Restore_OwnCheckpoints_ResumesFromTheNewest()
    {
        StageOptions settings = Settings("own");
        await WriteAsync(settings, sequence: 3, [new("interactions", 0, 1)]);
        string newest = await WriteAsync(settings, sequence: 5, Positions);

        using PipelineState state = Restore(settings, RunPlan.First);

        Assert.Equal(Positions, state.Positions);
        Assert.Equal(6, state.Ingest.NextSequence);
        Assert.Equal(5, state.Trainer.Sequence);
        Assert.True(_log.Has($"Resuming from checkpoint {newest}"), _log.Text);
    }

    [Fact]
    public async Task Restore_OwnCheckpointAndOneToStartFrom_IgnoresTheOtherAndSaysSo()
    {
        StageOptions settings = Settings("own");
        await WriteAsync(settings, sequence: 5, Positions);
        StageOptions other = Settings("other");
        await WriteAsync(other, sequence: 9, []);

        using PipelineState state = Restore(settings, RunPlan.First with { From = other.Checkpoint.Folder });

        Assert.Equal(5, state.Trainer.Sequence);
        Assert.True(_log.Has($"Ignoring --from {other.Checkpoint.Folder}"), _log.Text);
    }

    [Fact]
    public async Task Restore_OnlyOneToStartFrom_TakesItsStateAndPositions()
    {
        StageOptions other = Settings("other");
        string from = await WriteAsync(other, sequence: 9, Positions);

        using PipelineState state = Restore(Settings("own"), RunPlan.First with { From = other.Checkpoint.Folder });

        Assert.Equal(Positions, state.Positions);
        Assert.Equal(10, state.Ingest.NextSequence);
        Assert.Equal(9, state.Trainer.Sequence);
        Assert.True(_log.Has($"Starting from {from}"), _log.Text);
    }

    [Fact]
    public async Task Restore_ModelWithOtherFeatures_ReadsTheCatalogueFromItsBeginning()
    {
        StageOptions other = Settings("other");
        await WriteAsync(other, sequence: 9, Positions);
        StageOptions settings = Settings("own") with { Model = Model with { FeatureGroups = [new FeatureGroup("text", 3)] } };

        using PipelineState state = Restore(settings, new RunPlan(2, 1, other.Checkpoint.Folder, Whole: false));

        Assert.Equal([Positions[0]], state.Positions);
    }

    [Fact]
    public async Task Restore_OwnCheckpointDoesNotFitTheSettings_NamesTheWayOutAndDisposesTheEngine()
    {
        await WriteAsync(Settings("own"), sequence: 5, Positions);
        StageOptions settings = Settings("own") with { Model = Model with { Widths = [4] } };

        StateMismatchException mismatch = Assert.Throws<StateMismatchException>(() => Restore(settings, RunPlan.First));

        Assert.Contains("Widths is 4, the checkpoint has 4,8", mismatch.Message, StringComparison.Ordinal);
        Assert.Contains("`streaming run --generation 2`", mismatch.Message, StringComparison.Ordinal);
        Assert.True(Assert.Single(_engines).IsDisposed);
    }

    [Fact]
    public async Task Restore_OwnCheckpointWithAnotherTextScheme_IsRefusedByName()
    {
        var group = FeatureGroup.Hashed("words", 4, new TextField("title"));
        await WriteAsync(WithGroup(group with { Scheme = 99 }), sequence: 5, Positions);

        StateMismatchException mismatch = Assert.Throws<StateMismatchException>(() => Restore(WithGroup(group), RunPlan.First));

        Assert.Contains(
            "Model.FeatureGroups is words:4=title (text scheme 1), the checkpoint has words:4=title (text scheme 99)",
            mismatch.Message,
            StringComparison.Ordinal
        );

        StageOptions WithGroup(FeatureGroup features) => Settings("own") with { Model = Model with { FeatureGroups = [features] } };
    }

    [Fact]
    public async Task Restore_OwnCheckpointWithHashedText_Resumes()
    {
        StageOptions settings = Settings("own") with
        {
            Model = Model with { FeatureGroups = [FeatureGroup.Hashed("words", 4, new TextField("title"), new TextField("tags", true))] },
        };
        string newest = await WriteAsync(settings, sequence: 5, Positions);

        using PipelineState state = Restore(settings, RunPlan.First);

        Assert.Equal(5, state.Trainer.Sequence);
        Assert.Equal(settings.Model.FeatureGroups, Checkpoint.Open(newest).Model.FeatureGroups);
    }

    [Fact]
    public async Task Restore_CheckpointsOfAnotherModel_IsRefusedAndDisposesTheEngine()
    {
        await WriteAsync(Settings("own") with { Redis = new RedisOptions { Model = "films" } }, sequence: 5, Positions);

        StateMismatchException mismatch = Assert.Throws<StateMismatchException>(() => Restore(Settings("own"), RunPlan.First));

        Assert.Contains("belongs to model 'films'", mismatch.Message, StringComparison.Ordinal);
        Assert.True(Assert.Single(_engines).IsDisposed);
    }

    [Fact]
    public void Restore_NothingToStartFrom_IsRefusedAndDisposesTheEngine()
    {
        string nowhere = Path.Combine(_folder, "nowhere");

        InputFileException missing = Assert.Throws<InputFileException>(() =>
            Restore(Settings("own"), RunPlan.First with { From = nowhere })
        );

        Assert.Contains(nowhere, missing.Message, StringComparison.Ordinal);
        Assert.True(Assert.Single(_engines).IsDisposed);
    }

    [Fact]
    public void Dispose_DisposesTheEngine()
    {
        PipelineState state = Restore(Settings("own"), RunPlan.First);
        Assert.False(Assert.Single(_engines).IsDisposed);

        state.Dispose();

        Assert.True(Assert.Single(_engines).IsDisposed);
    }

    private static ModelOptions Model { get; } =
        new()
        {
            Widths = [4, 8],
            Layers = 1,
            ItemCapacity = 16,
            HistoryLength = 300,
            BankCapacity = 8,
        };

    private StageOptions Settings(string folder) =>
        new()
        {
            Model = Model,
            Training = new TrainerOptions { EvaluateEvery = -1 },
            Checkpoint = new CheckpointOptions { Folder = folder.Length == 0 ? folder : Path.Combine(_folder, folder) },
        };

    private PipelineState Restore(StageOptions settings, RunPlan plan) =>
        PipelineState.Restore(settings, plan, Store(settings, plan), _log, () => Engine(settings.Model));

    private PlantedEngine Engine() => Engine(Model);

    private PlantedEngine Engine(ModelOptions model)
    {
        var engine = new PlantedEngine(model, static _ => true);
        _engines.Add(engine);
        return engine;
    }

    private CheckpointStore Store(StageOptions settings, RunPlan plan) =>
        CheckpointFolder.StoreOf(settings, plan, CheckpointFence.None, TimeProvider.System, _log)!;

    /// <summary>Writes the checkpoint of a model that has seen empty batches up to a number.</summary>
    private async Task<string> WriteAsync(StageOptions settings, long sequence, StreamPosition[] positions)
    {
        var pool = new BatchPool(4, settings.Model.HistoryLength, 1);
        var ingest = new IngestState(settings.History with { Length = settings.Model.HistoryLength }, settings.Dedup);
        var batcher = new Batcher(
            new BatcherOptions { BatchSize = 4 },
            settings.Events.ToRules(TimeProvider.System),
            ingest,
            new StreamPositions(["interactions"], []),
            pool,
            TimeProvider.System
        );
        using var engine = new CpuEngine(settings.Model, threads: 1);
        using var trainer = new Trainer(engine, settings.Training);
        while (trainer.Sequence < sequence)
        {
            Batch batch = batcher.Seal(checkpoint: false);
            trainer.Train(batch);
            pool.Return(batch);
        }

        CheckpointWritten written = await Store(settings, RunPlan.First)
            .WriteAsync(trainer.BeginSnapshot(), ingest.Share(), positions, TestContext.Current.CancellationToken);
        return written.FolderPath;
    }
}
