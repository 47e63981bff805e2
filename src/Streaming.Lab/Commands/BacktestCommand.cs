using System.CommandLine;
using Streaming.Core.Ingestion;
using Streaming.Core.Options;
using Streaming.Formats.Files;
using Streaming.Lab.Backtest;
using Streaming.Lab.Files;
using Streaming.Learning.Engine;
using Streaming.Models.Options;
using Streaming.Worker.Catalogues;
using Streaming.Worker.Commands;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Outputs;
using Streaming.Worker.Settings;

namespace Streaming.Lab.Commands;

/// <summary>`streaming-lab backtest`: trains and evaluates models on files.</summary>
internal static class BacktestCommand
{
    private static readonly Option<string> Protocol = new Option<string>("--protocol")
    {
        Description =
            "leave-one-out (tests on each user's last item), user-split (8:1:1 of the users, as ComiRec), time-split (tests on the last "
            + "tenth of the events), prequential (a stream: ranks each event, then trains on it). "
            + OfflinePreset.Description,
        DefaultValueFactory = _ => "leave-one-out",
    }.AcceptOnlyFromAmong("leave-one-out", "user-split", "time-split", "prequential");

    private static readonly string[] DataSections = ["Events__", "History__", "Dedup__", "Retrain__Every"];

    private static readonly Option<string?> Sequences = new("--sequences")
    {
        Description = "File with lines of `user item item …`, oldest item first; may be gzipped.",
    };

    private static readonly Option<string[]> Events = new("--events")
    {
        Description = "Event files, instead of --sequences: " + FileArguments.Formats,
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string[]> Items = new("--items")
    {
        Description =
            "Item files. STREAMING__Model__FeatureGroups=text:256=title+brand[] hashes fields as the live worker does; text:384,image:512 "
            + "takes the values that `streaming encode` wrote. Without either, features of CSV files, whose first column is the item id, "
            + "are fitted on all items before training, which a stream cannot have (latent semantic analysis): columns c0, "
            + "c1, … are codes, x0, x1, … numbers, all others text.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly ItemColumns Columns = new(Items);

    private static readonly Option<int> FeatureLength = new("--feature-length")
    {
        Description = "Length of the feature vector that is fitted on an item file (latent semantic analysis).",
        DefaultValueFactory = _ => 256,
    };

    private static readonly Option<string?> Report = new("--report") { Description = "Write the result to a file, as JSON." };

    private static readonly Option<string?> MarkdownFile = new("--markdown")
    {
        Description = "Write the result to a file, as a Markdown table.",
    };

    private static readonly Option<string?> Best = new("--write-settings")
    {
        Description = "Write the settings with the best validation NDCG@10 to a file that --settings reads.",
        HelpName = "FILE",
    };

    private static readonly Option<string?> SettingsFrom = SettingsOption.Create();

    private static readonly Option<string?> Model = new("--model")
    {
        Description =
            "Write the best model to an empty directory, for `run --from` and `export`. Best is by NDCG@10: of the validation, or of new "
            + "items on a stream.",
    };

    private static readonly Option<string> Format = new Option<string>("--format")
    {
        Description = "Format of the result on standard output.",
        DefaultValueFactory = _ => "text",
    }.AcceptOnlyFromAmong("text", "markdown", "json");

    private static readonly Option<string[]> Set = new("--set")
    {
        Description =
            "A setting, NAME=VALUE; takes precedence over the environment and --settings. NAME=VALUE;VALUE tries each value, and several "
            + "such options all combinations.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string?> Tower = new("--tower")
    {
        Description = "Short for --set Model__Tower=…: fmrlrec, youtubednn, gru4rec, mind; several separated by semicolons.",
    };

    private static readonly Option<string?> Loss = new("--loss")
    {
        Description = "Short for --set Model__Loss=…: full, uniform, inbatch, mns, cbns, union; several separated by semicolons.",
    };

    private static readonly Option<string?> Widths = new("--widths") { Description = "Short for --set Model__Widths=…: 16,32,64,128." };

    private static readonly Option<int?> Epochs = new("--epochs") { Description = "Short for --set Offline__Epochs=…." };

    private static readonly Option<string[]> Also = new("--also")
    {
        Description =
            "One more model: the first combination with these settings instead, NAME=VALUE separated by spaces; may be repeated. CBNS as "
            + "published: --also \"Model__Loss=cbns Model__BalanceBank=false Model__Cosine=false Model__Temperature=1\".",
        HelpName = "SETTINGS",
    };

    private static readonly Option<string> Seeds = new("--seeds")
    {
        Description = "Comma-separated seeds. Every model is trained with each; mean and spread are reported.",
        DefaultValueFactory = _ => "1",
    };

    private static readonly Option<double> Drift = new("--drift-at")
    {
        Description = "Simulate drift: after this share of the events, 0 … 1, items exchange their ids. 0: none.",
    };

    private static readonly Option<string?> Retrain = new("--retrain")
    {
        Description =
            "Short for --set Retrain__Every=…: 1d, 7d, …. Compares the stream's model with the same model retrained at this interval of "
            + "event time, in shuffled passes over all earlier events (without the bank: inbatch for cbns, mns for union), and frozen in "
            + "between. Histories stay live; an item that no training has seen has an untrained row, and what its features give. Both are "
            + "scored on the same events, from the first training on. Protocol prequential.",
    };

    private static readonly Option<string?> RetrainPasses = new("--retrain-passes")
    {
        Description =
            "Short for --set Retrain__Passes=…: passes of each training; 2 unless set. Several separated by semicolons; the stream's own "
            + "model is trained once.",
    };

    private static readonly Option<string?> RetrainStart = new("--retrain-start")
    {
        Description =
            "Short for --set Retrain__Start=…: warm (continues the model of the training before; unless set) or cold (an untrained "
            + "model).",
    };

    private static readonly Option<bool> SingleWidth = new("--alone")
    {
        Description =
            "Also train a separate model for each width, and compare what one nested model and these take: parameters, checkpoint, Redis, "
            + "processor time. Not with protocol prequential.",
    };

    private static readonly Option<bool> NoBaselines = new("--no-floors")
    {
        Description = "Skip the baselines: popularity, item-kNN, Markov, ….",
    };

    private static readonly Option<string> Cutoffs = new("--cutoffs")
    {
        Description = "Cutoffs K of Recall and NDCG.",
        DefaultValueFactory = _ => "5,10,20,50",
    };

    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "Number of threads; 0: one per processor.",
        DefaultValueFactory = _ => 0,
    };

    private static readonly FileArguments Files = new();

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var command = new Command(
            "backtest",
            "Train and evaluate models on files, by offline protocols or as a stream, and compare them with simple baselines."
        )
        {
            SettingsFrom,
            Protocol,
            Sequences,
            Events,
            Items,
            Columns.Option,
            FeatureLength,
            Tower,
            Loss,
            Widths,
            Epochs,
            Set,
            Seeds,
            Also,
            Drift,
            Retrain,
            RetrainPasses,
            RetrainStart,
            SingleWidth,
            NoBaselines,
            Cutoffs,
            Threads,
            Report,
            MarkdownFile,
            Best,
            Model,
            Format,
        };
        foreach (Option option in Files.All)
        {
            command.Add(option);
        }

        command.SetAction((result, cancellation) => Task.FromResult(Run(result, cancellation)));
        return command;
    }

    private static int Run(ParseResult result, CancellationToken cancellation)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ConsoleCancelEventHandler stop = (_, signal) =>
        {
            signal.Cancel = true;
            stopping.Cancel();
        };
        Console.CancelKeyPress += stop;
        try
        {
            Run(result, ReadRequest(result), stopping.Token);
            return (int)ExitCode.Success;
        }
        finally
        {
            Console.CancelKeyPress -= stop;
        }
    }

    private static void Run(ParseResult result, BacktestRequest request, CancellationToken cancellation)
    {
        var progress = new BacktestProgress(Console.Error, TimeProvider.System, TimeSpan.FromSeconds(10));
        (BacktestReport? report, BacktestOptions? best) = Run(request, Files.Read(result), progress, cancellation);
        OutputFile.Write(result.GetValue(Report), ReportWriter.Json(report));
        OutputFile.Write(result.GetValue(MarkdownFile), ReportWriter.Markdown(report));
        OutputFile.Write(
            result.GetValue(Best),
            BacktestSettings.ToFile(best, $"Best of the {result.GetValue(Protocol)} protocol by validation NDCG@10.")
        );
        Console.Out.Write(
            result.GetValue(Format) switch
            {
                "json" => ReportWriter.Json(report) + "\n",
                "markdown" => ReportWriter.Markdown(report),
                _ => ReportWriter.Text(report),
            }
        );
    }

    private static (BacktestReport Report, BacktestOptions Best) Run(
        BacktestRequest request,
        EventFileOptions files,
        BacktestProgress progress,
        CancellationToken cancellation
    )
    {
        EventLog events = request.Events.Count > 0 ? EventFileReader.ReadAll(request.Events, files, progress.Line) : new EventLog();
        if (request.DriftAt > 0)
        {
            events.ExchangeItems((int)(request.DriftAt * events.Count), request.Seeds[0]);
        }

        // Some settings define the data; they are the same for all combinations.
        BacktestOptions first = BacktestSettings.Load(request.Combinations[0], request.Protocol, request.SettingsFile, request.HasFeatures);
        SettingsOption.WriteNotices(first.Settings);
        InteractionLog log = request.Sequences is { } sequences
            ? InteractionFiles.ReadSequences(sequences)
            : InteractionFiles.FromEvents(events, first, TimeProvider.System, progress.Line);
        var features = new FeatureSource(request.Items, log.Items, request.FeatureLength, progress.Line, request.ItemColumns);
        TrainingEngine Create(BacktestOptions settings, ModelOptions model) =>
            EngineFactory.Create(model, settings.Engine with { Threads = request.Threads });
        using BestModel? keep = request.Model is { } folder ? new BestModel(folder, TimeProvider.System) : null;
        if (request.Protocol == BacktestProtocol.Prequential)
        {
            var stream = new PrequentialBacktest(request, events, log, features, Create, keep, progress, TimeProvider.System);
            return (stream.Run(cancellation), stream.BestSettings!);
        }

        Func<int, IngestState>? histories = request.Sequences is null ? length => HistoriesOf(events, first, length) : null;
        var offline = new OfflineBacktest(request, log, features, Create, keep, histories, progress, TimeProvider.System);
        return (offline.Run(cancellation), offline.BestSettings!);
    }

    /// <summary>What every user did, as the live ingestion keeps it.</summary>
    private static IngestState HistoriesOf(EventLog events, BacktestOptions settings, int length)
    {
        var stream = new EventStream(events, settings, batchSize: 1024, length, TimeProvider.System);
        while (stream.Next(catalogue: null) is not null) { }

        return stream.State;
    }

    private static BacktestRequest ReadRequest(ParseResult result)
    {
        var errors = new List<string>();
        var request = new BacktestRequest
        {
            Protocol = Enum.Parse<BacktestProtocol>(
                result.GetValue(Protocol)!.Replace("-", string.Empty, StringComparison.Ordinal),
                ignoreCase: true
            ),
            SettingsFile = result.GetValue(SettingsFrom),
            Sequences = result.GetValue(Sequences),
            Events = result.GetValue(Events) ?? [],
            Items = result.GetValue(Items) ?? [],
            ItemColumns = Columns.Read(result),
            FeatureLength = result.GetValue(FeatureLength),
            Try =
            [
                .. result.GetValue(Set) ?? [],
                .. Short("STREAMING__Model__Tower", result.GetValue(Tower)),
                .. Short("STREAMING__Model__Loss", result.GetValue(Loss)),
                .. Short("STREAMING__Model__Widths", result.GetValue(Widths)),
                .. Short("STREAMING__Offline__Epochs", result.GetValue(Epochs)),
                .. Short("STREAMING__Retrain__Every", result.GetValue(Retrain)),
                .. Short("STREAMING__Retrain__Passes", result.GetValue(RetrainPasses)),
                .. Short("STREAMING__Retrain__Start", result.GetValue(RetrainStart)),
            ],
            Also = result.GetValue(Also) ?? [],
            Seeds = Numbers("--seeds", result.GetValue(Seeds)!, errors),
            DriftAt = result.GetValue(Drift),
            SingleWidth = result.GetValue(SingleWidth),
            NoBaselines = result.GetValue(NoBaselines),
            Cutoffs = Numbers("--cutoffs", result.GetValue(Cutoffs)!, errors),
            Model = result.GetValue(Model),
            Threads = result.GetValue(Threads) is var threads and > 0 ? threads : Environment.ProcessorCount,
        };
        Check(request.Sequences is null != (request.Events.Count == 0), "Give either --sequences FILE or --events FILE…");
        Check(
            request.Protocol is not (BacktestProtocol.TimeSplit or BacktestProtocol.Prequential) || request.Events.Count > 0,
            $"--protocol {result.GetValue(Protocol)} needs event times: give --events."
        );
        Check(
            request.DriftAt is 0 || (request.DriftAt is > 0 and < 1 && request.Protocol == BacktestProtocol.Prequential),
            string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"--drift-at is {request.DriftAt}; allowed: 0, or with --protocol prequential a share between 0 and 1."
            )
        );
        Check(
            !request.SingleWidth || request.Protocol != BacktestProtocol.Prequential,
            "--alone is given with --protocol prequential; allowed: leave-one-out, user-split, time-split."
        );
        Check(request.FeatureLength is >= 8 and <= 4096, $"--feature-length is {request.FeatureLength}; allowed: 8 … 4096.");
        Check(request.Threads is >= 1 and <= 256, $"--threads is {request.Threads}; allowed: 0 … 256.");
        Check(
            request.Cutoffs.Contains(10),
            $"--cutoffs is {string.Join(',', request.Cutoffs)}; allowed: a list that includes 10, which selects the best epoch."
        );
        Check(
            request.Model is not { } folder
                || (!File.Exists(folder) && (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any())),
            $"--model is {request.Model}; allowed: an empty or new directory."
        );
        if (errors.Count > 0)
        {
            throw new SettingsException(errors);
        }

        OutputPath.Require(new[] { Report, MarkdownFile, Best }.Select(option => (option.Name, result.GetValue(option))));
        if (request.Model is { } kept)
        {
            OutputPath.RequireFolder("--model", kept);
        }

        // Wrong settings are said before anything is read, and not after an hour at their turn.
        IReadOnlyList<IReadOnlyDictionary<string, string>> combinations = request.Combinations;
        foreach (IReadOnlyDictionary<string, string> combination in combinations)
        {
            BacktestOptions settings = BacktestSettings.Load(combination, request.Protocol, request.SettingsFile, request.HasFeatures);
            EngineFactory.RequireDevice(settings.Engine);
            if (settings.Retrain.Every is { } every && request.Protocol != BacktestProtocol.Prequential)
            {
                throw new SettingsException([
                    $"STREAMING__Retrain__Every (--retrain) is {OptionText.Format(every)} with --protocol {result.GetValue(Protocol)}; "
                        + "allowed: --protocol prequential.",
                ]);
            }
        }

        string[] varied =
        [
            .. combinations
                .SelectMany(combination => combination.Keys)
                .Distinct()
                .Where(name =>
                    SaysWhatTheDataAre(name)
                    && combinations.Any(other => other.GetValueOrDefault(name) != combinations[0].GetValueOrDefault(name))
                ),
        ];
        if (varied.Length > 0)
        {
            throw new SettingsException([
                .. varied.Select(name =>
                    $"{name} has several values; allowed: one, because it defines the data, and models are compared on the same data."
                ),
            ]);
        }

        return request;

        void Check(bool holds, string error)
        {
            if (!holds)
            {
                errors.Add(error);
            }
        }
    }

    private static bool SaysWhatTheDataAre(string name) =>
        DataSections.Any(section => BacktestSettings.Bare(name).StartsWith(section, StringComparison.OrdinalIgnoreCase));

    private static string[] Short(string name, object? value) => value is null ? [] : [FormattableString.Invariant($"{name}={value}")];

    private static int[] Numbers(string option, string text, List<string> errors)
    {
        try
        {
            int[] numbers = (int[])SettingValue.Parse(text, typeof(int[]))!;
            if (
                numbers.Length > 0
                && numbers.All(number => number is >= 1 and <= 10_000)
                && numbers.Order().Distinct().SequenceEqual(numbers)
            )
            {
                return numbers;
            }
        }
        catch (FormatException)
        {
            // Said below, with what is allowed.
        }

        errors.Add($"{option} is \"{text}\"; allowed: an increasing, comma-separated list of whole numbers, 1 … 10000.");
        return [10];
    }
}
