using System.CommandLine;
using System.CommandLine.Parsing;
using Streaming.Formats.Files;
using Streaming.Formats.Inputs;
using Streaming.Lab.Files;
using Streaming.Lab.Simulation;
using Streaming.Worker.Catalogues;
using Streaming.Worker.Serve;

namespace Streaming.Lab.Feeds;

/// <summary>Command-line options for the events to send: files, or a simulated shop.</summary>
internal sealed class FeedArguments
{
    /// <summary>Gets --events.</summary>
    public Option<string[]> Events { get; } =
        new("--events")
        {
            Description = "Event files: " + FileArguments.Formats + " Default: a simulated shop.",
            AllowMultipleArgumentsPerToken = true,
            HelpName = "FILE",
        };

    /// <summary>Gets --items.</summary>
    public Option<string[]> Items { get; } =
        new("--items")
        {
            Description =
                "Item files (CSV: item,title,…; JSON lines, Parquet; what `streaming encode` writes), sent to the items topic ahead of "
                + "each item's first event.",
            AllowMultipleArgumentsPerToken = true,
            HelpName = "FILE",
        };

    /// <summary>Gets --rate.</summary>
    public Option<double> Rate { get; } =
        new("--rate") { Description = "Maximum events per second. Default 0: as fast as possible.", HelpName = "N" };

    /// <summary>Gets --count.</summary>
    public Option<long?> Count { get; } = new("--count") { Description = "Stop after N events.", HelpName = "N" };

    /// <summary>Gets --seconds.</summary>
    public Option<double?> Seconds { get; } = new("--seconds") { Description = "Stop after N seconds.", HelpName = "N" };

    /// <summary>Gets --seed.</summary>
    public Option<ulong> Seed { get; } =
        new("--seed")
        {
            Description = "Seed of the simulated shop.",
            DefaultValueFactory = static _ => 1,
            HelpName = "N",
        };

    /// <summary>Gets --simulate-features.</summary>
    public Option<int> Features { get; } =
        new("--simulate-features")
        {
            Description =
                "Length of the feature group \"text\" of simulated items; declare it with STREAMING__Model__FeatureGroups=text:N. "
                + "Default 0: none.",
            HelpName = "N",
        };

    private readonly FileArguments _files = new();
    private readonly ItemColumns _itemColumns;

    /// <summary>Creates the options with their checks.</summary>
    public FeedArguments()
    {
        _itemColumns = new ItemColumns(Items);
        Rate.Validators.Add(result => Check(result, result.GetValue(Rate) is >= 0 and < 1e9, "0 … 1e9"));
        Count.Validators.Add(result => Check(result, result.GetValue(Count) is null or >= 1, "1 and up"));
        Seconds.Validators.Add(result => Check(result, result.GetValue(Seconds) is null or (> 0 and <= 1e7), "above 0"));
        Features.Validators.Add(result => Check(result, result.GetValue(Features) is >= 0 and <= 4096, "0 … 4096"));
    }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[Events, .. _files.All, Items, _itemColumns.Option, Rate, Count, Seconds, Seed, Features])
        {
            command.Add(option);
        }
    }

    /// <summary>Whether the events come from files.</summary>
    public bool FromFiles(ParseResult result) => result.GetValue(Events) is { Length: > 0 };

    /// <summary>Creates the feed that the arguments select.</summary>
    /// <exception cref="InputFileException">A file is unusable.</exception>
    public EventFeed Create(ParseResult result, TimeProvider time)
    {
        long? count = result.GetValue(Count);
        if (!FromFiles(result))
        {
            return new SimulatedFeed(
                new SimulatorOptions { Seed = result.GetValue(Seed), Features = result.GetValue(Features) },
                count,
                time
            );
        }

        EventLog log = EventFileReader.ReadAll(result.GetValue(Events)!, _files.Read(result), Warn);
        log.KeepFirst(count ?? long.MaxValue);
        return new FileFeed(log, ItemCatalogue.ReadAll(result.GetValue(Items) ?? [], Warn, withFeatures: true, _itemColumns.Read(result)));
    }

    private static void Warn(string warning) => Console.Error.WriteLine("streaming: " + warning);

    private static void Check(OptionResult result, bool right, string allowed)
    {
        if (!right)
        {
            result.AddError(
                $"{result.Option.Name} is \"{string.Join(' ', result.Tokens.Select(token => token.Value))}\"; allowed: {allowed}."
            );
        }
    }
}
