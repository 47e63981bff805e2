using System.Diagnostics;
using Streaming.Tests;
using Streaming.Worker.Failures;
using Streaming.Worker.Outputs;
using Xunit;

namespace Streaming.Worker.Tests.Outputs;

/// <summary>Outputs that cannot be written are found before the work, and nothing is changed by looking.</summary>
public sealed class OutputPathTests : IDisposable
{
    private readonly TemporaryFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void FilesThatCannotBeWritten_AreAllNamed()
    {
        string file = _files.Write("file", "x");
        SettingsException refused = Assert.Throws<SettingsException>(() =>
            OutputPath.Require(
                ("--report", _files.Path("none/report.json")),
                ("--markdown", Path.GetDirectoryName(file)),
                ("--output", "/proc/model"),
                ("--items", null),
                ("--fine", _files.Path("fine"))
            )
        );

        Assert.Equal(3, refused.Errors.Count);
        Assert.StartsWith(
            $"--report is '{_files.Path("none/report.json")}', which cannot be written: The folder '{_files.Path("none")}' does not exist.",
            refused.Errors[0],
            StringComparison.Ordinal
        );
        Assert.Contains("which cannot be written: It is a folder.", refused.Errors[1], StringComparison.Ordinal);
        Assert.StartsWith("--output is '/proc/model', which cannot be written: ", refused.Errors[2], StringComparison.Ordinal);
        Assert.Equal((ExitCode.Configuration, refused.Message), Failure.Explain(refused));
    }

    [Fact]
    public void FilesThatCanBeWritten_AreLeftAsTheyAre()
    {
        string old = _files.Write("old", "content");
        string fresh = _files.Path("fresh");
        OutputPath.Require(("--report", old), ("--markdown", fresh), ("--output", "/dev/null"));

        Assert.Equal("content", File.ReadAllText(old));
        Assert.False(File.Exists(fresh));
    }

    [Fact]
    public void PipeWithoutAReader_IsNotWaitedFor()
    {
        string pipe = _files.Path("pipe");
        using var made = Process.Start("mkfifo", pipe);
        made.WaitForExit();
        OutputPath.Require(("--report", pipe));
        Assert.True(File.Exists(pipe));
    }

    [Fact]
    public void FolderThatCannotBeWritten_IsNamedWithTheReason()
    {
        string dangling = _files.Path("dangling");
        File.CreateSymbolicLink(dangling, "nowhere");
        AssertRefused(_files.Write("file", "x"), "It is a file.");
        AssertRefused(dangling, "It is a symbolic link to 'nowhere', which does not exist.");
        AssertRefused("/proc/folder", string.Empty);

        string folder = _files.Path("new/folder");
        OutputPath.RequireFolder("--model", folder);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    private static void AssertRefused(string folder, string reason)
    {
        SettingsException refused = Assert.Throws<SettingsException>(() => OutputPath.RequireFolder("--model", folder));
        Assert.StartsWith(
            $"--model is '{folder}', which cannot be written to: {reason}",
            Assert.Single(refused.Errors),
            StringComparison.Ordinal
        );
    }
}
