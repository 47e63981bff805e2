using Streaming.Learning.Checkpoints;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Stages;

/// <summary>What a worker trains, and what it starts from.</summary>
/// <param name="Generation">The generation, 1 and up.</param>
/// <param name="Active">The generation that readers used when this was planned; 0: none yet.</param>
/// <param name="From">Where a generation without a checkpoint of its own starts from; null: a new model.</param>
/// <param name="Whole">Whether the model in <paramref name="From"/> must fit the settings; otherwise what fits is adopted.</param>
public sealed record RunPlan(uint Generation, uint Active, string? From, bool Whole)
{
    /// <summary>Gets the plan of a model with one generation that starts from its own checkpoint, or new.</summary>
    public static RunPlan First { get; } = new(1, 1, null, Whole: true);

    /// <summary>Gets a value indicating whether readers still have to be moved to the generation.</summary>
    public bool IsNext => Active != 0 && Generation > Active;

    /// <summary>Decides what to train.</summary>
    /// <param name="request">The command line.</param>
    /// <param name="active">The generation that readers use; 0: none yet.</param>
    /// <param name="folder">The folder of the checkpoints; empty: there are none.</param>
    /// <exception cref="SettingsException">The generation cannot be started; says what is allowed.</exception>
    public static RunPlan Of(RunRequest request, uint active, string folder)
    {
        ArgumentNullException.ThrowIfNull(request);
        uint newest = NewestIn(folder);
        uint generation = request.Generation ?? (active != 0 ? active : Math.Max(newest, 1));
        uint most = Math.Max(Math.Max(active, newest), 1) + 1;
        if (generation == 0 || generation > most)
        {
            throw new SettingsException([$"--generation is {generation}; allowed: 1 … {most}, where {most} starts a new generation."]);
        }

        uint old = active != 0 ? active : Math.Max(newest, 1);
        if (request.From is not null || generation <= old)
        {
            return new RunPlan(generation, active, request.From, Whole: true);
        }

        string before = FolderOf(folder, old);
        return Has(before) || Has(FolderOf(folder, generation))
            ? new RunPlan(generation, active, before, Whole: false)
            : throw new SettingsException([
                $"--generation {generation} starts from the newest checkpoint of generation {old}, but '{before}' "
                    + "(STREAMING__Checkpoint__Folder) has none. Name a checkpoint with --from.",
            ]);
    }

    /// <summary>The folder of a generation's checkpoints: the first one's is the folder of the settings.</summary>
    public static string FolderOf(string folder, uint generation) =>
        folder.Length == 0 || generation == 1 ? folder : Path.Combine(folder, FormattableString.Invariant($"generation-{generation}"));

    /// <summary>The settings of this plan: a generation has checkpoints and a consumer group of its own.</summary>
    public T Apply<T>(T settings)
        where T : StageOptions
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (Generation == 1)
        {
            return settings;
        }

        StageOptions own = settings with
        {
            Checkpoint = settings.Checkpoint with { Folder = FolderOf(settings.Checkpoint.Folder, Generation) },
            Kafka = settings.Kafka with
            {
                GroupId = FormattableString.Invariant($"{ConsumerGroup.NameOf(settings)}-generation-{Generation}"),
            },
        };
        return (T)own;
    }

    private static bool Has(string folder) => folder.Length > 0 && Store(folder).List().Count > 0;

    /// <summary>The generation whose checkpoint was written last; 0: there is none.</summary>
    private static uint NewestIn(string folder)
    {
        uint newest = 0,
            token = 0;
        for (uint generation = 1; folder.Length > 0 && (generation == 1 || Directory.Exists(FolderOf(folder, generation))); generation++)
        {
            CheckpointStore store = Store(FolderOf(folder, generation));
            if (store.List().Count > 0 && store.NewestToken >= token)
            {
                (newest, token) = (generation, store.NewestToken);
            }
        }

        return newest;
    }

    private static CheckpointStore Store(string folder) => new(folder, 1, TimeProvider.System, static _ => { });
}
