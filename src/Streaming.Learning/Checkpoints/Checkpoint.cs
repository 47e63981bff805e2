using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Training;
using Streaming.Learning.WarmStarts;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Checkpoints;

/// <summary>A checkpoint on disk whose checksums have been verified.</summary>
public sealed class Checkpoint
{
    private Checkpoint(string path, CheckpointManifest manifest)
    {
        FolderPath = path;
        Manifest = manifest;
    }

    /// <summary>Gets the folder.</summary>
    public string FolderPath { get; }

    /// <summary>Gets its manifest.</summary>
    public CheckpointManifest Manifest { get; }

    /// <summary>Gets the shape and hyper-parameters of its model.</summary>
    /// <exception cref="StateMismatchException">The manifest has no model options, or invalid ones.</exception>
    public ModelOptions Model
    {
        get
        {
            ModelOptions model =
                Manifest.Model
                ?? throw new StateMismatchException(
                    $"Checkpoint '{FolderPath}' has no model options in its manifest; run the worker on it once to write a checkpoint "
                        + "that has them."
                );
            try
            {
                model.Validate();
                return model;
            }
            catch (ArgumentException exception)
            {
                throw new StateMismatchException($"Checkpoint '{FolderPath}' has invalid model options: {exception.Message}");
            }
        }
    }

    /// <summary>Opens a checkpoint folder and verifies all of its files.</summary>
    /// <exception cref="InvalidDataException">Torn, corrupt or not a checkpoint; the message names the file.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="StateMismatchException">It was written by a newer version of this program.</exception>
    public static Checkpoint Open(string path) => Open(path, rank: 0, ranks: 1);

    /// <summary>Opens a checkpoint folder and verifies the manifest and a share of the other files: file k on rank k mod N, so that the
    /// ranks of a job read each file once. It is good if it is on all ranks.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="rank">Number of this rank, 0 … <paramref name="ranks"/> − 1.</param>
    /// <param name="ranks">Number of ranks that verify it.</param>
    /// <exception cref="InvalidDataException">Torn, corrupt or not a checkpoint; the message names the file.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="StateMismatchException">It was written by a newer version of this program.</exception>
    public static Checkpoint Open(string path, int rank, int ranks)
    {
        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string name, string checksum) in CheckpointReading.ReadChecksums(path))
        {
            if (listed.Count % ranks == rank || name == CheckpointFiles.Manifest)
            {
                CheckpointReading.Verify(Path.Combine(path, name), checksum);
            }

            listed.Add(name);
        }

        CheckpointManifest manifest = CheckpointReading.ReadManifest(Path.Combine(path, CheckpointFiles.Manifest));
        foreach (string name in CheckpointFiles.Needed(manifest))
        {
            if (!listed.Contains(name))
            {
                throw new InvalidDataException($"Checkpoint '{path}' is missing {name}.");
            }
        }

        return new Checkpoint(path, manifest);
    }

    /// <summary>Opens parameters, optimiser state and memory bank for one engine of <paramref name="ranks"/>, whatever the number of ranks
    /// that wrote them.</summary>
    /// <param name="rank">Number of the engine's rank, 0 … <paramref name="ranks"/> − 1.</param>
    /// <param name="ranks">Number of ranks; 1: an engine that stores all item rows.</param>
    /// <exception cref="StateMismatchException">The files are not those of the ranks that the manifest names.</exception>
    public TensorSource OpenEngine(int rank = 0, int ranks = 1)
    {
        if (Manifest.Ranks == ranks)
        {
            return OpenEngineOf(rank);
        }

        var parts = new List<TensorSource>();
        try
        {
            parts.AddRange(Enumerable.Range(0, Manifest.Ranks).Select(OpenEngineOf));
            return new DealtState(parts, rank, ranks, owns: true);
        }
        catch
        {
            parts.ForEach(static part => part.Dispose());
            throw;
        }
    }

    /// <summary>Opens the trainer's state outside the engine: the same on every rank.</summary>
    public SafetensorsReader OpenTrainer() => SafetensorsReader.Open(Path.Combine(FolderPath, CheckpointFiles.Trainer));

    /// <summary>Reads the ingestion state for one rank of <paramref name="ranks"/>: its own file if as many wrote the checkpoint, else by
    /// the rules of <see cref="IngestState.Deal"/>. Null when the checkpoint has none.</summary>
    /// <param name="histories">Bounds of the histories; may differ from those of the writer.</param>
    /// <param name="dedup">Bounds of the dedup window; may differ from those of the writer.</param>
    /// <param name="rank">Number of the rank, 0 … <paramref name="ranks"/> − 1.</param>
    /// <param name="ranks">Number of ranks that read the stream.</param>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public IngestState? ReadIngest(HistoryOptions histories, DedupOptions dedup, int rank = 0, int ranks = 1)
    {
        if (!Manifest.HasIngest)
        {
            return null;
        }

        var parts = new List<Stream>();
        try
        {
            if (Manifest.Ranks == ranks)
            {
                parts.Add(OpenIngestOf(rank));
                return IngestState.Read(parts[0], histories, dedup);
            }

            parts.AddRange(Enumerable.Range(0, Manifest.Ranks).Select(OpenIngestOf));
            return IngestState.Deal(parts, rank, ranks, histories, dedup);
        }
        finally
        {
            parts.ForEach(static part => part.Dispose());
        }
    }

    /// <summary>Restores a trainer from the checkpoint.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="rank">Number of its engine's rank, 0 … <paramref name="ranks"/> − 1.</param>
    /// <param name="ranks">Number of ranks that its engine is one of.</param>
    /// <exception cref="StateMismatchException">The settings differ from those of the checkpoint; names each.</exception>
    public void RestoreTo(Trainer trainer, int rank = 0, int ranks = 1)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        CheckShape(trainer.Shape);
        using TensorSource engine = OpenEngine(rank, ranks);
        using SafetensorsReader state = OpenTrainer();
        trainer.Restore(engine, state);
    }

    /// <summary>Initialises an untrained trainer with all reusable state: see
    /// <see cref="Trainer.Adopt(TrainedState, bool, long)"/>. An engine of several ranks takes its own rows.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="whole">Whether to reject a model that differs.</param>
    /// <param name="sequence">Number of the last batch of the matching ingestion state; −1: a new stream.</param>
    /// <exception cref="StateMismatchException">The models differ where they must not (names each difference), or the state is
    /// damaged.</exception>
    /// <exception cref="InvalidOperationException">The trainer has already been trained.</exception>
    public WarmStart AdoptTo(Trainer trainer, bool whole, long sequence = -1)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        using TensorSource engine = OpenEngine();
        using SafetensorsReader state = OpenTrainer();
        return trainer.Adopt(
            new TrainedState(FolderPath, Model, Manifest.Shape, Manifest.Counters, Manifest.Step, engine, state),
            whole,
            sequence
        );
    }

    /// <summary>Compares the settings that determine the state's shape.</summary>
    /// <exception cref="StateMismatchException">Names every setting that differs, both values, and what to do.</exception>
    public void CheckShape(IReadOnlyDictionary<string, string> shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var names = new SortedSet<string>(shape.Keys.Concat(Manifest.Shape.Keys), StringComparer.Ordinal);
        string[] differences =
        [
            .. from name in names
            let here = shape.GetValueOrDefault(name, "not set")
            let there = Manifest.Shape.GetValueOrDefault(name, "not set")
            where here != there
            select $"{name} is {here}, the checkpoint has {there}",
        ];
        if (differences.Length > 0)
        {
            throw new StateMismatchException(
                $"Checkpoint '{FolderPath}' does not match the settings: {string.Join("; ", differences)}. "
                    + "Use the checkpoint's values, or start a new generation from it."
            );
        }
    }

    /// <summary>A checkpoint whose files the caller verifies.</summary>
    internal static Checkpoint Unverified(string path, CheckpointManifest manifest) => new(path, manifest);

    /// <summary>Summarises the ingestion snapshot that one rank wrote.</summary>
    internal IngestSummary Summarise(int rank)
    {
        using FileStream ingest = OpenIngestOf(rank);
        return IngestSummary.Read(ingest);
    }

    private SafetensorsReader OpenEngineOf(int rank) =>
        SafetensorsReader.Open(Path.Combine(FolderPath, CheckpointFiles.EngineOf(rank, Manifest.Ranks)));

    /// <summary>Opens the ingestion snapshot that one rank wrote.</summary>
    internal FileStream OpenIngestOf(int rank) => File.OpenRead(Path.Combine(FolderPath, CheckpointFiles.IngestOf(rank, Manifest.Ranks)));
}
