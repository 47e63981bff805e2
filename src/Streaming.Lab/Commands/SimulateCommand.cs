using System.CommandLine;
using System.Globalization;
using Streaming.Lab.Simulation;
using Streaming.Worker.Failures;
using Streaming.Worker.Outputs;

namespace Streaming.Lab.Commands;

/// <summary>`streaming-lab simulate`: writes a simulated shop to files.</summary>
internal static class SimulateCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var output = new Option<string>("--output")
        {
            Description = "An empty folder: events.csv, items.csv and pictures are written to it.",
            Required = true,
            HelpName = "FOLDER",
        };
        Option<long> count = Number("--count", "Number of events.", 20_000, 1, 1_000_000_000);
        Option<long> items = Number("--item-count", "Number of items at the start; every 50 events add one.", 2_000, 100, 1_000_000);
        Option<long> seed = Number("--seed", "Seed: the same seed gives the same files.", 1, 0, long.MaxValue);
        var pictures = new Option<bool>("--pictures") { Description = "Draw a picture of every item (PNG, 96 × 96)." };
        Option<double> plain = Share("--plain-titles", "Share of items whose titles do not name their kind.");
        Option<double> without = Share("--no-picture", "Share of items without a picture.");
        var command = new Command(
            "simulate",
            "Write a simulated shop to files: events and items as CSV, and pictures that show an item's kind, for `streaming encode`, demo "
                + "and backtest."
        )
        {
            output,
            count,
            items,
            seed,
            pictures,
            plain,
            without,
        };
        command.SetAction(
            (result, stopping) =>
            {
                string folder = result.GetValue(output)!;
                OutputPath.RequireFolder("--output", folder);
                if (Directory.EnumerateFileSystemEntries(folder).Any())
                {
                    throw new SettingsException([$"--output is '{folder}', which is not empty; allowed: an empty folder."]);
                }

                var files = new ShopFiles(
                    new SimulatorOptions
                    {
                        Seed = (ulong)result.GetValue(seed),
                        Items = (int)result.GetValue(items),
                        PlainTitleShare = result.GetValue(plain),
                        NoPictureShare = result.GetValue(without),
                    },
                    folder
                );
                int written = files.Write(result.GetValue(count), result.GetValue(pictures), stopping);
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{files.Events}: {result.GetValue(count)} events; {files.Items}: {written} items"
                    )
                );
                return Task.FromResult((int)ExitCode.Success);
            }
        );
        return command;
    }

    private static Option<long> Number(string name, string description, long value, long least, long most)
    {
        var option = new Option<long>(name)
        {
            Description = description,
            DefaultValueFactory = _ => value,
            HelpName = "N",
        };
        option.Validators.Add(result =>
        {
            if (result.GetValue(option) < least || result.GetValue(option) > most)
            {
                result.AddError($"{name} is {result.GetValue(option)}; allowed: {least} … {most}.");
            }
        });
        return option;
    }

    private static Option<double> Share(string name, string description)
    {
        var option = new Option<double>(name) { Description = description + " 0 … 1.", HelpName = "SHARE" };
        option.Validators.Add(result =>
        {
            if (result.GetValue(option) is not (>= 0 and <= 1))
            {
                result.AddError($"{name} is {result.GetValue(option)}; allowed: 0 … 1.");
            }
        });
        return option;
    }
}
