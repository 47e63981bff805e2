using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Streaming.Transport.Redis;
using Xunit;

namespace Streaming.Serving.Tests.Hosting;

/// <summary>The sample of the package's readme, built against the packages alone as another team would, and run.</summary>
public sealed partial class PackageTests(ServingFixture redis) : IClassFixture<ServingFixture>, IDisposable
{
    private const string Version = "0.1.0-sample";
    private const int Items = 30;

    private static readonly string Top = PublicApiTests.Root();

    private readonly string _folder = Directory.CreateTempSubdirectory("package-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task SampleOfTheReadme_BuiltAgainstThePackages_AnswersFromWhatIsPublished()
    {
        RedisOptions options = redis.Options() with { Partitions = new RedisOptions().Partitions };
        using var engine = new CpuEngine(
            new ModelOptions
            {
                ItemCapacity = Items,
                Layers = 1,
                HistoryLength = 8,
                BankCapacity = 8,
            },
            threads: 1
        );
        await redis.PublishModelAsync(options, engine, Items, withAttributes: true);
        await RunAsync("bash", Path.Combine(Top, "deploy", "pack.sh"), Path.Combine(_folder, "feed"), Version);
        await WriteSampleAsync();
        await RunAsync("dotnet", "build", _folder, "-c", "Release", "--nologo", "-v", "quiet", "-o", Path.Combine(_folder, "app"));

        using Process application = Start(
            Path.Combine(_folder, "app", "Sample"),
            [$"--Redis={options.Configuration}", $"--Model={options.Model}", "--urls=http://127.0.0.1:0"]
        );
        try
        {
            using var http = new HttpClient { BaseAddress = await AddressAsync(application) };
            // 503 until the index is loaded.
            while (!await IsHealthyAsync(http))
            {
                await Task.Delay(50, Stop);
            }

            Assert.Equal(32, (await GetAsync(http, "/items/item3")).GetArrayLength());
            Assert.Equal(20, (await GetAsync(http, "/similar/item3")).GetProperty("items").GetArrayLength());
            Assert.Equal(20, (await GetAsync(http, "/for/ann")).GetProperty("items").GetArrayLength());
            Assert.Equal(20, (await GetAsync(http, "/latest")).GetArrayLength());
        }
        finally
        {
            application.Kill(entireProcessTree: true);
        }
    }

    private static async Task<bool> IsHealthyAsync(HttpClient http)
    {
        using HttpResponseMessage response = await http.GetAsync("/health", Stop);
        return response.IsSuccessStatusCode;
    }

    private static async Task<JsonElement> GetAsync(HttpClient http, string path)
    {
        using var document = JsonDocument.Parse(await http.GetStringAsync(path, Stop));
        return document.RootElement.Clone();
    }

    private static async Task<Uri> AddressAsync(Process application)
    {
        List<string> lines = [];
        while (await application.StandardOutput.ReadLineAsync(Stop) is { } line)
        {
            lines.Add(line);
            if (Listening().Match(line) is { Success: true } match)
            {
                return new Uri(match.Groups[1].Value);
            }
        }

        throw new InvalidOperationException("The sample ended: " + string.Join('\n', lines));
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync(Stop);
        string output = await process.StandardOutput.ReadToEndAsync(Stop) + await error;
        await process.WaitForExitAsync(Stop);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {output}");
    }

    private static Process Start(string program, IEnumerable<string> arguments) =>
        Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                // A build server that outlives the test would keep its streams open.
                Environment = { ["MSBUILDDISABLENODEREUSE"] = "1", ["UseSharedCompilation"] = "false" },
            }
        )!;

    /// <summary>A project of the readme's first block of code, which knows the repository's packages as a feed.</summary>
    private async Task WriteSampleAsync()
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(Top, "src", "Streaming.Serving", "README.md"), Stop);
        await WriteAsync("Program.cs", readme.Split("```csharp\n")[1].Split("```")[0]);

        // What is already on this machine is not fetched again, and the packages of this run are not left in its cache.
        await WriteAsync(
            "Sample.csproj",
            $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <RestorePackagesPath>{_folder}/packages</RestorePackagesPath>
                <RestoreFallbackFolders>{Environment.GetFolderPath(
                Environment.SpecialFolder.UserProfile
            )}/.nuget/packages</RestoreFallbackFolders>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Streaming.Serving" Version="{Version}" />
              </ItemGroup>
            </Project>
            """
        );
        await WriteAsync(
            "nuget.config",
            """
            <configuration>
              <packageSources>
                <add key="sample" value="feed" />
              </packageSources>
            </configuration>
            """
        );
    }

    private Task WriteAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(_folder, name), text, Stop);

    [GeneratedRegex("Now listening on: (http://[0-9.:]+)")]
    private static partial Regex Listening();
}
