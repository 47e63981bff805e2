using System.Text.Json;
using Streaming.Tests;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Logging;

/// <summary>The log as a collector of a cluster reads it.</summary>
public sealed class JsonLogTests
{
    [Fact]
    public async Task Json_EveryLineIsAnObjectWithTimeMessageLevelEventIdAndValues()
    {
        string folder = Directory.CreateTempSubdirectory("json-log-").FullName;
        try
        {
            // Port 1 answers nobody: the worker says so and keeps trying.
            using var process = StreamingProcess.Start(
                ["run"],
                new Dictionary<string, string>
                {
                    ["STREAMING__Redis__Configuration"] = "127.0.0.1:1",
                    ["STREAMING__Redis__ConnectTimeout"] = "1s",
                    ["STREAMING__Redis__CommandTimeout"] = "1s",
                    ["STREAMING__Http__Port"] = "0",
                    ["STREAMING__Checkpoint__Folder"] = folder,
                    ["STREAMING__Log__Format"] = "Json",
                }
            );
            await process.WaitForLineAsync(static line => line.Contains("is unavailable", StringComparison.Ordinal));
            process.Terminate();
            Assert.True(await process.WaitForExitAsync() == (int)ExitCode.Success, process.Output);

            JsonElement[] lines =
            [
                .. process
                    .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Select(static line => JsonSerializer.Deserialize<JsonElement>(line)),
            ];
            Assert.All(lines, static line => Assert.True(line.GetProperty("@t").GetDateTimeOffset() > DateTimeOffset.UnixEpoch));
            JsonElement listening = Line(lines, 1017);
            Assert.StartsWith("Health and metrics at ", listening.GetProperty("@m").GetString(), StringComparison.Ordinal);
            Assert.False(listening.TryGetProperty("@l", out _)); // Information
            JsonElement unavailable = Line(lines, 1027);
            Assert.Equal("Warning", unavailable.GetProperty("@l").GetString());
            Assert.Equal("127.0.0.1:1", unavailable.GetProperty("Servers").GetString());
            Assert.Contains("127.0.0.1:1", unavailable.GetProperty("@m").GetString(), StringComparison.Ordinal);
            Assert.Equal("PointerUnknown", unavailable.GetProperty("EventId").GetProperty("Name").GetString());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static JsonElement Line(JsonElement[] lines, int id) =>
        lines.First(line => line.TryGetProperty("EventId", out JsonElement eventId) && eventId.GetProperty("Id").GetInt32() == id);
}
