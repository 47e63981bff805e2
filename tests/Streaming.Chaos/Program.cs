using System.Text.Json;
using Streaming.Chaos;

ChaosOptions options;
try
{
    options = ChaosOptions.Parse(args);
}
catch (ArgumentException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 2;
}

string folder = options.Folder.Length > 0 ? options.Folder : Directory.CreateTempSubdirectory("streaming-chaos-").FullName;
Directory.CreateDirectory(folder);
string program = Path.Combine(AppContext.BaseDirectory, "streaming");
ChaosReport report = await new ChaosRun(options, folder, program).RunAsync().ConfigureAwait(false);
string json = JsonSerializer.Serialize(report, new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true });
Console.WriteLine(json);
if (options.Report.Length > 0)
{
    await File.WriteAllTextAsync(options.Report, json).ConfigureAwait(false);
}

if (report.IsClean && options.Folder.Length == 0)
{
    Directory.Delete(folder, recursive: true);
}

return report.IsClean ? 0 : 1;
