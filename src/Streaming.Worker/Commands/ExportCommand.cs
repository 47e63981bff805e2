using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Streaming.Core.Generations;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu;
using Streaming.Learning.Items;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Worker.Export;
using Streaming.Worker.Failures;
using Streaming.Worker.Outputs;
using Streaming.Worker.Stages;

namespace Streaming.Worker.Commands;

/// <summary>`streaming export`: writes the smaller model that one width of a checkpoint is.</summary>
internal static class ExportCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        IgnoreReadOnlyProperties = true,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var checkpoint = new Option<string>("--checkpoint")
        {
            Description = "A checkpoint, a directory of checkpoints (uses the newest), or the --model directory of a backtest.",
            Required = true,
            HelpName = "FOLDER",
        };
        var width = new Option<int>("--width")
        {
            Description = "One of the model's widths.",
            Required = true,
            HelpName = "W",
        };
        var output = new Option<string>("--output")
        {
            Description = "Output file for the model (safetensors). The manifest is written next to it, with the extension .json.",
            Required = true,
            HelpName = "FILE",
        };
        var items = new Option<string?>("--items")
        {
            Description =
                "Output file for the embeddings of all items at this width (safetensors: one tensor, one row per item). The item ids are "
                + "written next to it, with the extension .ids.json.",
            HelpName = "FILE",
        };
        var command = new Command(
            "export",
            "Export a trained model at one of its widths: user tower and item projection as safetensors with a JSON manifest, and "
                + "optionally all item embeddings, for index builders."
        )
        {
            checkpoint,
            width,
            output,
            items,
        };
        command.SetAction(result =>
            (int)Run(result.GetValue(checkpoint)!, result.GetValue(width), result.GetValue(output)!, result.GetValue(items), Console.Out)
        );
        return command;
    }

    /// <summary>Exports.</summary>
    internal static ExitCode Run(string path, int width, string output, string? items, TextWriter log)
    {
        string manifest = Path.ChangeExtension(output, ".json");
        if (manifest == output || (items is not null && Path.GetFullPath(items) == Path.GetFullPath(output)))
        {
            throw new SettingsException([
                $"--output is {output}; allowed: a file name that does not end in .json and differs from --items.",
            ]);
        }

        OutputPath.Require(("--output", output), ("--output", manifest), ("--items", items), ("--items", IdsOf(items)));
        Checkpoint checkpoint = CheckpointSource.Open(path);
        ModelOptions model = checkpoint.Model;
        if (!model.Widths.Contains(width))
        {
            throw new SettingsException([$"--width is {width}; allowed: {string.Join(", ", model.Widths)}."]);
        }

        try
        {
            using TensorSource engine = checkpoint.OpenEngine();
            var version = new ModelVersion(checkpoint.Manifest.Generation, checkpoint.Manifest.Token, checkpoint.Manifest.Step);
            using (FileStream file = File.Create(output))
            {
                SlicedModel.Write(engine, model, width, version, projection: true, file);
            }

            ItemFile? itemFile = items is null ? null : WriteItems(checkpoint, engine, model, width, items);
            IReadOnlyList<TensorInfo> tensors = Tensors(output);
            var said = new Manifest(
                SlicedModel.Format,
                version.Generation,
                version.Token,
                version.Step,
                checkpoint.Manifest.Written,
                width,
                Path.GetFileName(output),
                Hash(output),
                ModelSlicer.At(model, width),
                tensors,
                itemFile
            );
            File.WriteAllText(manifest, JsonSerializer.Serialize(said, Json));
            log.WriteLine(
                $"{output}: {tensors.Count} tensors, {new FileInfo(output).Length} bytes, width {width} of {model.Dimension}, step "
                    + $"{version.Step}"
            );
            if (itemFile is not null)
            {
                log.WriteLine($"{items}: {itemFile.Count} items, {new FileInfo(items!).Length} bytes");
            }

            return ExitCode.Success;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OutputFileException(output, exception);
        }
    }

    private static string? IdsOf(string? items) => Path.ChangeExtension(items, ".ids.json");

    private static ItemFile WriteItems(Checkpoint checkpoint, TensorSource state, ModelOptions model, int width, string path)
    {
        using SafetensorsReader trainer = checkpoint.OpenTrainer();
        KnownItem[] items = KnownItem.ReadAll(trainer);
        using var engine = new CpuEngine(model, Math.Clamp(Environment.ProcessorCount, 1, 16));
        engine.Restore(state);
        string ids = IdsOf(path)!;
        using (var embeddings = new ItemEmbeddings(engine, [.. items.Select(static item => item.Row)], width))
        using (FileStream file = File.Create(path))
        {
            Safetensors.Write(embeddings, file);
        }

        using (FileStream file = File.Create(ids))
        {
            JsonSerializer.Serialize(file, items.Select(static item => item.Id));
        }

        return new ItemFile(Path.GetFileName(path), Path.GetFileName(ids), items.Length, Hash(path));
    }

    private static IReadOnlyList<TensorInfo> Tensors(string path)
    {
        using var reader = SafetensorsReader.Open(path);
        return reader.Tensors;
    }

    private static string Hash(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private sealed record Manifest(
        string Format,
        uint Generation,
        uint Token,
        long Step,
        DateTimeOffset Written,
        int Width,
        string File,
        string Sha256,
        ModelOptions Model,
        IReadOnlyList<TensorInfo> Tensors,
        ItemFile? Items
    );

    private sealed record ItemFile(string File, string Ids, int Count, string Sha256);
}
