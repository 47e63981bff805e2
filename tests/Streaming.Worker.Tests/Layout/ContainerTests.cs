using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Streaming.Lab.Commands;
using Streaming.Worker.Commands;
using Xunit;

namespace Streaming.Worker.Tests.Layout;

/// <summary>The container files match the program. <see cref="SettingNameTests"/> checks that their settings exist,
/// tests/published.sh that the image's build stage works.</summary>
public partial class ContainerTests
{
    private static readonly string Compose = Read("docker-compose.yml");
    private static readonly string Dockerfile = Read("deploy/Dockerfile");

    [Fact]
    public void Images_AreNamedOnceAndWithAVersion()
    {
        string[] images = [.. Image().Matches(Compose).Select(match => match.Groups[1].Value)];

        Assert.Equal(images.Distinct(), images);
        Assert.All(
            images,
            image =>
                Assert.True(
                    image.StartsWith("streaming", StringComparison.Ordinal)
                        || (image.Contains(':', StringComparison.Ordinal) && !image.EndsWith(":latest", StringComparison.Ordinal)),
                    image
                )
        );
    }

    [Fact]
    public void Commands_AreCommandLinesOfTheProgram()
    {
        string[] workers = [.. Service().Split(Compose).Where(service => service.Contains("<<: *worker", StringComparison.Ordinal))];
        Assert.Equal(5, workers.Length);

        string[][] commands =
        [
            .. workers
                .Select(service => Command().Match(service))
                .Where(match => match.Success)
                .Select(match => ProgramsOwn(JsonSerializer.Deserialize<string[]>(match.Groups[1].Value)!)),
            .. Exec()
                .Matches(Dockerfile)
                .Select(match => ProgramsOwn(JsonSerializer.Deserialize<string[]>(match.Groups[1].Value)!))
                .Where(words => words.Length > 0),
        ];

        Assert.Equal(["serve", "run", "replay", "health", "run", "health", "run"], commands.Select(command => command[0]));
        Assert.All(
            commands,
            command => Assert.Empty((command[0] == "replay" ? LabCommands.Create() : WorkerCommands.Create()).Parse(command).Errors)
        );
    }

    /// <summary>What the program itself is given: without its name, and without the script that starts ranks of it.</summary>
    private static string[] ProgramsOwn(string[] words)
    {
        words = words[(Array.IndexOf(words, "--") + 1)..];
        return
        [
            .. words.Where(word =>
                word is not ("/app/streaming" or "/app/streaming-lab" or "streaming" or "/bin/bash" or "/app/deploy/ranks.sh")
            ),
        ];
    }

    [Fact]
    public void Images_RunAsAUserWithoutRights()
    {
        string[] stages = [.. Dockerfile.Split("\nFROM ").Where(stage => stage.Contains("\nENTRYPOINT", StringComparison.Ordinal))];

        Assert.Equal(3, stages.Length);
        Assert.All(stages, stage => Assert.Matches(@"\nUSER \$\{APP_UID\}\n(#.*\n|HEALTHCHECK.*\n)*ENTRYPOINT", stage));
        Assert.All(stages, stage => Assert.DoesNotContain("\nRUN", stage, StringComparison.Ordinal));
    }

    /// <summary>With Compose's own parser, if STREAMING_TOOLS has a program compose-check that takes the file and its profiles.</summary>
    [Fact]
    public async Task Compose_IsWhatItsParserReads()
    {
        string? tools = Environment.GetEnvironmentVariable("STREAMING_TOOLS");
        Assert.SkipWhen(tools is null, "STREAMING_TOOLS is not set");
        var start = new ProcessStartInfo(Path.Combine(tools!, "compose-check"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(RepositoryLayoutTests.Root(), "docker-compose.yml"));
        foreach (string profile in Profile().Matches(Compose).Select(match => match.Groups[1].Value).Distinct())
        {
            start.ArgumentList.Add(profile);
        }

        using Process process = Process.Start(start)!;
        string output =
            await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)
            + await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == 0, output);
        Assert.All(
            (string[])["kafka", "redis", "worker", "worker-gpu", "lookups", "events", "prometheus", "grafana"],
            service => Assert.Contains(service, output, StringComparison.Ordinal)
        );
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(RepositoryLayoutTests.Root(), file));

    [GeneratedRegex(@"^\s+image: (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Image();

    [GeneratedRegex(@"^  (?=\w[\w-]*:$)", RegexOptions.Multiline)]
    private static partial Regex Service();

    [GeneratedRegex(@"^    command: (\[.*\])$", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"^(?:ENTRYPOINT|CMD|HEALTHCHECK .* CMD) (\[.*\])$", RegexOptions.Multiline)]
    private static partial Regex Exec();

    [GeneratedRegex(@"profiles: \[""(\w+)""\]")]
    private static partial Regex Profile();
}
