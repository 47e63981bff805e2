using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Streaming.Formats.Inputs;
using Streaming.Learning.Checkpoints;
using Streaming.Models.State;
using Streaming.Worker.Failures;
using Streaming.Worker.Inspect;

namespace Streaming.Worker.Commands;

/// <summary>`streaming inspect`: shows the contents of a checkpoint and verifies it.</summary>
internal static class InspectCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var path = new Argument<string>("path") { Description = "A checkpoint, a directory of checkpoints, or a safetensors file." };
        var json = new Option<bool>("--json") { Description = "Print JSON instead of text." };
        var command = new Command(
            "inspect",
            "Show the contents of a checkpoint and verify its checksums. Exits with code 65 if a file is damaged, 66 if there is no "
                + "checkpoint, 73 if a newer version wrote it."
        )
        {
            path,
            json,
        };
        command.SetAction(result => (int)Run(result.GetValue(path)!, result.GetValue(json), Console.Out));
        return command;
    }

    /// <summary>Inspects.</summary>
    internal static ExitCode Run(string path, bool json, TextWriter output)
    {
        if (File.Exists(path))
        {
            return RunFile(path, json, output);
        }

        IReadOnlyList<string> folders = Folders(path);
        if (folders.Count == 0)
        {
            Console.Error.WriteLine($"streaming: '{path}' is not a checkpoint, a directory of checkpoints, or a safetensors file.");
            return ExitCode.NoInput;
        }

        CheckpointReport[] reports = [.. folders.Select(CheckpointReport.Of)];
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(reports, Json));
        }
        else
        {
            Array.ForEach(reports, report => InspectText.Write(report, output));
        }

        return reports.All(static report => report.Verified) ? ExitCode.Success : ExitCode.BadInput;
    }

    private static ExitCode RunFile(string path, bool json, TextWriter output)
    {
        try
        {
            using var reader = SafetensorsReader.Open(path);
            if (json)
            {
                output.WriteLine(
                    JsonSerializer.Serialize(
                        new
                        {
                            path,
                            reader.Metadata,
                            reader.Tensors,
                        },
                        Json
                    )
                );
            }
            else
            {
                InspectText.Write(reader.Tensors, reader.Metadata, output);
            }

            return ExitCode.Success;
        }
        catch (InvalidDataException exception)
        {
            throw new InputFileException($"'{path}' is not a safetensors file, or is damaged: {exception.Message}", exception);
        }
    }

    private static IReadOnlyList<string> Folders(string path) =>
        !Directory.Exists(path) ? []
        : CheckpointStore.IsCheckpoint(path) ? [Path.GetFullPath(path)]
        : new CheckpointStore(path, 1, TimeProvider.System, static _ => { }).List();
}
