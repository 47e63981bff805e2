using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Streaming.Learning.Training;
using Streaming.Learning.WarmStarts;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Checkpoints;

/// <summary>A checkpoint on disk whose checksums were verified.</summary>
public sealed class Checkpoint
{
    private const long MaxManifestBytes = 16 << 20;
    private const int MaxChecksumBytes = 64 << 10;

    private Checkpoint(string path, CheckpointManifest manifest)
    {
        FolderPath = path;
        Manifest = manifest;
    }

    /// <summary>Gets the folder.</summary>
    public string FolderPath { get; }

    /// <summary>Gets what it says of itself.</summary>
    public CheckpointManifest Manifest { get; }

    /// <summary>Gets the shape and hyper-parameters of the model in it.</summary>
    /// <exception cref="StateMismatchException">It does not say them, or they cannot be.</exception>
    public ModelOptions Model
    {
        get
        {
            ModelOptions model = Manifest.Model ?? throw new StateMismatchException($"Checkpoint '{FolderPath}' does not say its model's options: run the worker on it once, which writes one that does.");
            try
            {
                model.Validate();
                return model;
            }
            catch (ArgumentException exception)
            {
                throw new StateMismatchException($"Checkpoint '{FolderPath}' says options that no model can have: {exception.Message}");
            }
        }
    }

    /// <summary>Opens a checkpoint folder and verifies every file of it.</summary>
    /// <exception cref="InvalidDataException">Torn, corrupt or no checkpoint: the message names the file.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="StateMismatchException">It was written by a newer version of this program.</exception>
    public static Checkpoint Open(string path)
    {
        var verified = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string name, string checksum) in ReadChecksums(path))
        {
            Verify(Path.Combine(path, name), checksum);
            verified.Add(name);
        }

        foreach (string name in (string[])[CheckpointFiles.Engine, CheckpointFiles.Trainer, CheckpointFiles.Manifest])
        {
            if (!verified.Contains(name))
            {
                throw new InvalidDataException($"Checkpoint '{path}' lacks {name}.");
            }
        }

        CheckpointManifest manifest = ReadManifest(Path.Combine(path, CheckpointFiles.Manifest));
        if (manifest.HasIngest && !verified.Contains(CheckpointFiles.Ingest))
        {
            throw new InvalidDataException($"Checkpoint '{path}' lacks {CheckpointFiles.Ingest}.");
        }

        return new Checkpoint(path, manifest);
    }

    /// <summary>Opens parameters, optimiser state and memory bank.</summary>
    public SafetensorsReader OpenEngine() => SafetensorsReader.Open(Path.Combine(FolderPath, CheckpointFiles.Engine));

    /// <summary>Opens the state above the engine.</summary>
    public SafetensorsReader OpenTrainer() => SafetensorsReader.Open(Path.Combine(FolderPath, CheckpointFiles.Trainer));

    /// <summary>Opens what the ingestion side's snapshot wrote, or null when the checkpoint has none.</summary>
    public Stream? OpenIngest() => Manifest.HasIngest ? File.OpenRead(Path.Combine(FolderPath, CheckpointFiles.Ingest)) : null;

    /// <summary>Puts a trainer into the checkpoint's state.</summary>
    /// <exception cref="StateMismatchException">The settings differ from those that it was written with: names each.</exception>
    public void RestoreTo(Trainer trainer)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        CheckShape(trainer.Shape);
        using SafetensorsReader engine = OpenEngine();
        using SafetensorsReader state = OpenTrainer();
        trainer.Restore(engine, state);
    }

    /// <summary>Lets a trainer that has learned nothing take over what it can use: see <see cref="Trainer.Adopt(TrainedState, bool, long)"/>.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="whole">Whether a model that differs is refused.</param>
    /// <param name="sequence">Number of the last batch before the next: that of the ingestion that goes with it; −1: a stream that begins.</param>
    /// <exception cref="StateMismatchException">The models differ where they must not: names each difference. Or the state is damaged.</exception>
    /// <exception cref="InvalidOperationException">The trainer has learned something already.</exception>
    public WarmStart AdoptTo(Trainer trainer, bool whole, long sequence = -1)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        using SafetensorsReader engine = OpenEngine();
        using SafetensorsReader state = OpenTrainer();
        return trainer.Adopt(new TrainedState(FolderPath, Model, Manifest.Shape, Manifest.Counters, Manifest.Step, engine, state), whole, sequence);
    }

    /// <summary>Compares the settings that the state's shape depends on.</summary>
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
                $"Checkpoint '{FolderPath}' does not fit the settings: {string.Join("; ", differences)}. " +
                "Set these as the checkpoint has them, or begin a new generation from it.");
        }
    }

    internal static CheckpointManifest ReadManifest(string path)
    {
        byte[] bytes = ReadBounded(path, MaxManifestBytes);
        try
        {
            // The version first: the rest of a newer manifest need not be readable.
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 16 });
            int format = document.RootElement.GetProperty("format").GetInt32();
            if (format > CheckpointManifest.CurrentFormat)
            {
                throw new StateMismatchException(string.Create(CultureInfo.InvariantCulture,
                    $"'{path}' has format version {format}; this program reads up to {CheckpointManifest.CurrentFormat}. Use the newer program, or a checkpoint of this one."));
            }

            return document.Deserialize<CheckpointManifest>(CheckpointJson.Options) is { Shape: not null, Positions: not null } manifest
                ? manifest
                : throw new InvalidDataException($"'{path}' has no shape or no positions.");
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"'{path}' is not a manifest: {exception.Message}", exception);
        }
    }

    /// <summary>The checksums that a checkpoint names, by file, in order. Nothing is verified yet.</summary>
    internal static List<KeyValuePair<string, string>> ReadChecksums(string path)
    {
        string sums = Path.Combine(path, CheckpointFiles.Checksums);
        var named = new List<KeyValuePair<string, string>>();
        foreach (string line in System.Text.Encoding.ASCII.GetString(ReadBounded(sums, MaxChecksumBytes)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // 64 hex digits, two spaces, a name without a path.
            if (line.Length < 67 || line[64..66] != "  " || line[66..] != Path.GetFileName(line[66..]) || line[66..] is "." or "..")
            {
                throw new InvalidDataException($"'{sums}' has a line that is no checksum: '{line}'.");
            }

            named.Add(new(line[66..], line[..64]));
        }

        return named;
    }

    /// <summary>Compares a file with its checksum.</summary>
    internal static void Verify(string path, string expected)
    {
        using FileStream file = OpenFile(path);
        if (!Convert.ToHexStringLower(SHA256.HashData(file)).Equals(expected, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidDataException($"'{path}' does not have the checksum that it was written with: it is torn or corrupt.");
        }
    }

    private static byte[] ReadBounded(string path, long maxBytes)
    {
        using FileStream file = OpenFile(path);
        if (file.Length > maxBytes)
        {
            throw new InvalidDataException($"'{path}' has {file.Length} bytes; allowed: {maxBytes}.");
        }

        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    // Asking first whether a file exists would not do: where the folder may not be entered the answer is no.
    private static FileStream OpenFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        }
        catch (FileNotFoundException exception)
        {
            throw new InvalidDataException($"'{path}' is missing.", exception);
        }
    }
}
