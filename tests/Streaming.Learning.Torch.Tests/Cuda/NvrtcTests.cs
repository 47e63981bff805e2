using System.Text;
using System.Text.RegularExpressions;
using Streaming.Learning.Torch.Cuda;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Cuda;

/// <summary>NVIDIA's compiler on the project's sources, from the folder that STREAMING_NVRTC names (tests/nvrtc.sh). It needs no
/// GPU.</summary>
public partial class NvrtcTests
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("STREAMING_NVRTC");

    public static TheoryData<string, int[], bool, bool> Presets =>
        new()
        {
            { "sm_90", [16, 32, 64, 128], true, true },
            { "sm_90", [16, 32, 64, 128], true, false },
            { "sm_90", [16, 32, 64, 128], false, true },
            { "sm_90", [16, 32, 64, 128], false, false },
            { "sm_90", [8, 16, 32, 64, 128], true, true },
            { "sm_80", [8, 16, 32, 64, 128], true, true },
            { "sm_90", [8, 16, 32, 64, 128, 256], true, true },
            { "sm_90", [8, 16, 32, 64, 128, 256], false, true },
            { "sm_80", [16, 32, 64, 128, 256], true, false },
        };

    [Theory]
    [MemberData(nameof(Presets))]
    public void Compile_SoftmaxOfPreset_SpillsNoRegister(string architecture, int[] widths, bool cosine, bool exact) =>
        RequireNoSpills(SoftmaxKernels.Source(widths, cosine, exact), architecture);

    [Theory]
    [InlineData("sm_90", new[] { 16, 32, 64, 128 }, false)]
    [InlineData("sm_90", new[] { 16, 32, 64, 128 }, true)]
    [InlineData("sm_80", new[] { 8, 16, 32, 64, 128, 256 }, false)]
    [InlineData("sm_80", new[] { 8, 16, 32, 64, 128, 256 }, true)]
    public void Compile_TowerOfPreset_SpillsNoRegister(string architecture, int[] widths, bool bfloat16) =>
        RequireNoSpills(TowerKernels.Source(widths, bfloat16), architecture);

    [Theory]
    [InlineData(new[] { 16, 32, 64, 128 })]
    [InlineData(new[] { 8, 16, 32, 64, 128, 256 })]
    public void Compile_ItemsOfPreset_SpillsNoRegister(int[] widths) => RequireNoSpills(ItemKernels.Source(widths), "sm_90");

    [Fact]
    public void Compile_Update_SpillsNoRegister() => RequireNoSpills(UpdateKernels.Source([16, 32, 64, 128]), "sm_90");

    [Fact]
    public void Compile_ErrorInSource_NamesFileAndLine()
    {
        KernelException error = Assert.Throws<KernelException>(() => Compiler().Compile("Bad.cu", "\nint f() { return x; }", "sm_90", []));

        Assert.Contains("does not compile Bad.cu for sm_90: Bad.cu(2): error", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Load_NoLibraryInFolders_NamesThem()
    {
        KernelException error = Assert.Throws<KernelException>(() => Nvrtc.Load(["/proc/self/fd", "/nowhere"]));

        Assert.Equal("NVRTC is in none of the folders /proc/self/fd", error.Message);
    }

    private static Nvrtc Compiler()
    {
        Assert.SkipUnless(Folder is not null, "STREAMING_NVRTC is not set: run tests/nvrtc.sh, which fetches NVRTC and prints its folder.");
        return Nvrtc.Load([Folder!]);
    }

    private static void RequireNoSpills(KernelSource source, string architecture)
    {
        string report = Report(source, architecture);

        MatchCollection spills = Spills().Matches(report);
        Assert.True(spills.Count >= source.Functions.Count, $"Of {source.Functions.Count} kernels, {spills.Count} are reported:\n{report}");
        Assert.All(spills, match => Assert.True(match.Groups["bytes"].Value == "0", $"{match.Value}\n{report}"));
    }

    // Of sources that have not changed since an earlier run, from a file beside the tests: compiling all takes a minute of a slow machine.
    private static string Report(KernelSource source, string architecture)
    {
        Nvrtc compiler = Compiler();
        string text = KernelSource.Read("Device.cuh") + source.Text;
        byte[] report = new CompiledKernels(Path.Combine(AppContext.BaseDirectory, "reports")).Get(
            string.Join('\n', [compiler.Version, architecture, .. source.Macros, text]),
            () =>
            {
                (byte[] code, string said) = compiler.Compile(source.Name, text, architecture, source.Macros);
                Assert.NotEmpty(code);
                return Encoding.UTF8.GetBytes(said);
            }
        );
        return Encoding.UTF8.GetString(report);
    }

    [GeneratedRegex("(?<bytes>[0-9]+) bytes spill stores")]
    private static partial Regex Spills();
}
