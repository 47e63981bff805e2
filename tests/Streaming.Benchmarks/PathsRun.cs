using System.Diagnostics;
using System.Globalization;

namespace Streaming.Benchmarks;

/// <summary>The kernels at each vector width, each in a separate process, since the width is fixed at startup.</summary>
internal static class PathsRun
{
    private const string Kernels = "SGEMM 4096,nested linear,LRU,norm,SiLU,nested softmax";

    private static readonly (string Name, string? Setting)[] Paths =
    [
        ("512 bits", null),
        ("256 bits", "DOTNET_EnableAVX512"),
        ("128 bits", "DOTNET_EnableAVX2"),
        ("scalar", "DOTNET_EnableHWIntrinsic"),
    ];

    public static void Run(BenchmarkOptions options, TextWriter output)
    {
        (string Name, double Milliseconds)[][] columns = [.. Paths.Select(path => Measure(path.Setting, options))];
        Table table = new(output, ["ms", .. Paths.Select(path => path.Name)]);
        for (int row = 0; row < columns[0].Length; row++)
        {
            table.Row([$"{columns[0][row].Name}", .. columns.Select(column => (FormattableString)$"{column[row].Milliseconds:F2}")]);
        }
    }

    /// <summary>Parses name and milliseconds of each row of the other process's table.</summary>
    private static (string Name, double Milliseconds)[] Measure(string? setting, BenchmarkOptions options)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "--kernels",
                "--no-torch",
                "--only",
                Kernels,
                "--threads",
                options.Threads.ToString(CultureInfo.InvariantCulture),
            },
        };
        if (options.ProcessorTime)
        {
            start.ArgumentList.Add("--processor-time");
        }

        if (setting is not null)
        {
            start.Environment[setting] = "0";
        }

        using Process process = Process.Start(start)!;
        string[] lines = process.StandardOutput.ReadToEnd().Split('\n');
        process.WaitForExit();
        return
        [
            .. lines
                .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
                .Skip(2)
                .Select(line => line.Split('|'))
                .Select(cells => (cells[1].Trim(), double.Parse(cells[2], CultureInfo.InvariantCulture))),
        ];
    }
}
