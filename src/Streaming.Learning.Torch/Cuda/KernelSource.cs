using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;

namespace Streaming.Learning.Torch.Cuda;

/// <summary>CUDA C to compile for one model: sources of this folder, and the macros that fix widths and variants.</summary>
/// <param name="Name">File name of the kernels, as in compiler messages.</param>
/// <param name="Text">The sources, without the part that differs between a device and its emulation.</param>
/// <param name="Macros">NAME=VALUE each.</param>
/// <param name="Functions">The kernels.</param>
internal sealed partial record KernelSource(string Name, string Text, IReadOnlyList<string> Macros, IReadOnlyList<string> Functions)
{
    /// <summary>All kernels of a file, over nested widths.</summary>
    /// <param name="files">Files of this folder: what the kernels include, and last their own.</param>
    /// <param name="widths">The widths, multiples of 4.</param>
    /// <param name="macros">Further macros.</param>
    public static KernelSource Nested(string[] files, ReadOnlySpan<int> widths, params string[] macros)
    {
        string text = Read(files[^1]);
        return new KernelSource(
            files[^1],
            string.Concat(files.SkipLast(1).Prepend("Nested.cuh").Select(Read)) + text,
            [$"WIDTHS={string.Join(',', widths.ToArray())}", $"K={widths.Length}", .. macros],
            [.. Kernels().Matches(text).Select(match => match.Groups["name"].Value)]
        );
    }

    /// <summary>A source file of this folder, preceded by its name for the compiler's messages.</summary>
    public static string Read(string file)
    {
        using Stream stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream($"Cuda.{file}")
            ?? throw new InvalidOperationException($"The assembly has no resource Cuda.{file}.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return $"#line 1 \"{file}\"\n{reader.ReadToEnd()}\n";
    }

    [GeneratedRegex(@"extern ""C"" __global__ void\s+(__launch_bounds__\([^)]*\)\s+)?(?<name>\w+)\(")]
    private static partial Regex Kernels();
}
