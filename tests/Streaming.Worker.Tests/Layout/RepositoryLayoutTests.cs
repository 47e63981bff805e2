using System.Runtime.CompilerServices;
using System.Xml.Linq;
using Xunit;

namespace Streaming.Worker.Tests.Layout;

/// <summary>The table of projects and their allowed references. A project exists because of a dependency or a deployable.</summary>
public class RepositoryLayoutTests
{
    private static readonly Dictionary<string, (string[] Projects, string[] Packages)> Allowed = new()
    {
        ["Streaming.Core"] = ([], ["System.IO.Hashing"]),
        ["Streaming.Kernels"] = ([], ["System.Numerics.Tensors"]),
        ["Streaming.Models"] = (["Streaming.Core", "Streaming.Kernels"], []),
        ["Streaming.Formats"] = (
            ["Streaming.Core"],
            [
                "Apache.Avro",
                "CsvHelper",
                "Parquet.Net",
                "protobuf-net",
                "protobuf-net.Reflection",
                "Snappier",
                "System.IO.Hashing",
                "ZstdSharp.Port",
            ]
        ),
        ["Streaming.Learning"] = (["Streaming.Core", "Streaming.Kernels", "Streaming.Models"], []),
        ["Streaming.Ranks"] = (["Streaming.Learning"], []),
        ["Streaming.Encoders"] = (
            ["Streaming.Core", "Streaming.Formats", "Streaming.Learning"],
            [
                "Microsoft.ML.OnnxRuntime",
                "Microsoft.ML.OnnxRuntime.Managed",
                "Microsoft.ML.Tokenizers",
                "SkiaSharp",
                "SkiaSharp.NativeAssets.Linux.NoDependencies",
            ]
        ),
        ["Streaming.Transport"] = (
            ["Streaming.Core", "Streaming.Formats"],
            ["Confluent.Kafka", "StackExchange.Redis", "Polly.Core", "Google.Protobuf", "Grpc.Tools"]
        ),
        ["Streaming.Serving"] = (
            ["Streaming.Core", "Streaming.Kernels", "Streaming.Models"],
            [
                "Microsoft.Extensions.Diagnostics.HealthChecks",
                "Microsoft.Extensions.Hosting.Abstractions",
                "Microsoft.Extensions.Options",
                "Polly.Core",
                "StackExchange.Redis",
            ]
        ),
        ["Streaming.Serving.Approximate"] = (["Streaming.Serving"], ["Cloud.Unum.USearch"]),
        ["Streaming.Learning.Torch"] = (
            ["Streaming.Core", "Streaming.Kernels", "Streaming.Models", "Streaming.Learning"],
            ["TorchSharp", "libtorch-cpu-linux-x64", "TorchSharp-cuda-linux"]
        ),
        ["Streaming.Worker"] = (
            [
                "Streaming.Core",
                "Streaming.Formats",
                "Streaming.Kernels",
                "Streaming.Models",
                "Streaming.Learning",
                "Streaming.Learning.Torch",
                "Streaming.Ranks",
                "Streaming.Encoders",
                "Streaming.Transport",
                "Streaming.Serving",
                "Streaming.Serving.Approximate",
            ],
            [
                "Google.Protobuf",
                "Grpc.AspNetCore.Server",
                "Grpc.Tools",
                "Scalar.AspNetCore",
                "Serilog",
                "Serilog.Extensions.Logging",
                "Serilog.Formatting.Compact",
                "Serilog.Sinks.Console",
                "System.CommandLine",
                "OpenTelemetry",
                "OpenTelemetry.Exporter.OpenTelemetryProtocol",
                "OpenTelemetry.Instrumentation.AspNetCore",
            ]
        ),
        ["Streaming.Lab"] = (
            [
                "Streaming.Core",
                "Streaming.Formats",
                "Streaming.Kernels",
                "Streaming.Models",
                "Streaming.Learning",
                "Streaming.Transport",
                "Streaming.Serving",
                "Streaming.Worker",
            ],
            ["SkiaSharp", "Spectre.Console", "System.CommandLine"]
        ),
    };

    private static readonly string[] TopLevel =
    [
        "src",
        "tests",
        "deploy",
        "schemas",
        "docker-compose.yml",
        "Streaming.sln",
        "README.md",
        "LICENSE",
        "Directory.Build.props",
        "Directory.Packages.props",
        "global.json",
        ".editorconfig",
        ".gitignore",
        ".gitattributes",
        ".dockerignore",
        ".ci",
        ".config",
        ".git",
        ".artifacts",
        ".github",
    ];

    [Fact]
    public void References_EveryProject_KeepsToTheTable()
    {
        var wrong = new List<string>();
        string[] projects = Directory.GetFiles(Path.Combine(Root(), "src"), "*.csproj", SearchOption.AllDirectories);
        Assert.Equal(Allowed.Count, projects.Length);
        foreach (string path in projects)
        {
            string name = Path.GetFileNameWithoutExtension(path);
            if (!Allowed.TryGetValue(name, out (string[] Projects, string[] Packages) allowed))
            {
                wrong.Add($"{name} is not in the table");
                continue;
            }

            var file = XDocument.Load(path);
            wrong.AddRange(
                Includes(file, "ProjectReference")
                    .Select(include => Path.GetFileNameWithoutExtension(include.Replace('\\', '/')))
                    .Except(allowed.Projects)
                    .Select(other => $"{name} → {other}")
            );
            wrong.AddRange(Includes(file, "PackageReference").Except(allowed.Packages).Select(package => $"{name} → package {package}"));
            wrong.AddRange(
                Includes(file, "InternalsVisibleTo").Where(Allowed.ContainsKey).Select(other => $"{name} shows its internals to {other}")
            );

            // Transport uses its logging abstractions, the programs Kestrel.
            if (name is not ("Streaming.Worker" or "Streaming.Lab" or "Streaming.Transport"))
            {
                wrong.AddRange(Includes(file, "FrameworkReference").Select(framework => $"{name} → framework {framework}"));
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void TopLevel_HasNothingElse() => Assert.Empty(Directory.GetFileSystemEntries(Root()).Select(Path.GetFileName).Except(TopLevel));

    [Fact]
    public void Solution_HasEveryProject()
    {
        string solution = File.ReadAllText(Path.Combine(Root(), "Streaming.sln"));

        Assert.All(
            Directory
                .GetFiles(Path.Combine(Root(), "src"), "*.csproj", SearchOption.AllDirectories)
                .Concat(Directory.GetFiles(Path.Combine(Root(), "tests"), "*.Tests.csproj", SearchOption.AllDirectories)),
            path => Assert.Contains(Path.GetFileName(path), solution, StringComparison.Ordinal)
        );
    }

    /// <summary>The repository root, found from this file's compile-time path or the working directory.</summary>
    internal static string Root([CallerFilePath] string file = "")
    {
        for (
            DirectoryInfo? folder = new(File.Exists(file) ? Path.GetDirectoryName(file)! : AppContext.BaseDirectory);
            folder is not null;
            folder = folder.Parent
        )
        {
            if (File.Exists(Path.Combine(folder.FullName, "Streaming.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("Streaming.sln was not found above the test.");
    }

    private static IEnumerable<string> Includes(XDocument file, string element) =>
        file.Descendants(element).Select(node => (string?)node.Attribute("Include")).OfType<string>();
}
