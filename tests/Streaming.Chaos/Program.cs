using System.Text.Json;
using Streaming.Chaos;
using Streaming.Chaos.Scaling;
using Streaming.Chaos.Serving;

if (args is ["growth", ..])
{
    return await GrowthRun.RunAsync(args[1..]).ConfigureAwait(false);
}

if (args is ["serving", ..])
{
    return await ServingRun.RunAsync(args[1..]).ConfigureAwait(false);
}

if (args is ["histories"])
{
    return await HistoriesRun.RunAsync().ConfigureAwait(false);
}

// soak: long and steady; pauses: the cost of checkpoints; neither: kills.
string mode = args.Length > 0 && args[0] is "soak" or "pauses" ? args[0] : "kills";
ChaosOptions options;
try
{
    options = ChaosOptions.Parse(mode == "kills" ? args : args[1..]);
}
catch (ArgumentException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 2;
}

string folder = options.Folder.Length > 0 ? options.Folder : Directory.CreateTempSubdirectory("streaming-chaos-").FullName;
Directory.CreateDirectory(folder);
string program = Path.Combine(AppContext.BaseDirectory, "streaming");
(object report, bool isClean) = mode switch
{
    "soak" => await SoakAsync().ConfigureAwait(false),
    "pauses" => (await new PauseRun(options, folder).RunAsync().ConfigureAwait(false), true),
    _ => await KillAsync().ConfigureAwait(false),
};
string json = JsonSerializer.Serialize(report, new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true });
Console.WriteLine(json);
if (options.Report.Length > 0)
{
    await File.WriteAllTextAsync(options.Report, json).ConfigureAwait(false);
}

if (isClean && options.Folder.Length == 0)
{
    Directory.Delete(folder, recursive: true);
}

return isClean ? 0 : 1;

async Task<(object, bool)> KillAsync()
{
    RankHosts? hosts = options.TwoHosts ? RankHosts.FromEnvironment() : null;
    ChaosReport result = await new ChaosRun(options, folder, program, hosts).RunAsync().ConfigureAwait(false);
    return (result, result.IsClean);
}

async Task<(object, bool)> SoakAsync()
{
    SoakReport result = await new SoakRun(options, folder, program).RunAsync().ConfigureAwait(false);
    return (result, result.IsClean);
}
