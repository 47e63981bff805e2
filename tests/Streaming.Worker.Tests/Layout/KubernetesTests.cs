using System.Diagnostics;
using Xunit;

namespace Streaming.Worker.Tests.Layout;

/// <summary>The manifests of deploy/kubernetes. <see cref="SettingNameTests"/> checks that their settings exist.</summary>
public class KubernetesTests
{
    private static readonly string Folder = Path.Combine(RepositoryLayoutTests.Root(), "deploy", "kubernetes");

    public static TheoryData<string> Kustomizations =>
        [
            .. Directory
                .GetFiles(Folder, "kustomization.yaml", SearchOption.AllDirectories)
                .Select(file => Path.GetDirectoryName(Path.GetRelativePath(Folder, file))!)
                .Where(folder => !folder.StartsWith("components", StringComparison.Ordinal)),
        ];

    /// <summary>With kustomize and a strict decoder, if STREAMING_TOOLS has them.</summary>
    [Theory]
    [MemberData(nameof(Kustomizations))]
    public async Task Kustomization_Built_HasOnlyFieldsOfTheApi(string folder)
    {
        string manifests = await BuildAsync(folder);

        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, manifests, TestContext.Current.CancellationToken);
        string decoded = await RunAsync("kube-check", file);
        File.Delete(file);
        Assert.Contains("ok StatefulSet streaming-trainer", decoded, StringComparison.Ordinal);
        Assert.Contains("ok Deployment streaming-lookups", decoded, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kustomizations))]
    public async Task Kustomization_Built_RunsEveryContainerWithoutRights(string folder)
    {
        string[] pods =
        [
            .. (await BuildAsync(folder))
                .Split("\n---\n")
                .Where(document => document.Contains("      containers:", StringComparison.Ordinal)),
        ];

        Assert.Equal(2, pods.Length);
        Assert.All(
            pods,
            pod =>
                Assert.All(
                    (string[])
                        [
                            "runAsNonRoot: true",
                            "readOnlyRootFilesystem: true",
                            "allowPrivilegeEscalation: false",
                            "automountServiceAccountToken: false",
                            "type: RuntimeDefault",
                            "- ALL",
                        ],
                    line => Assert.Contains(line, pod, StringComparison.Ordinal)
                )
        );
    }

    /// <summary>Its type is not that of Kubernetes: by the names that the operator documents. The ranks that ranks.sh starts are the pods
    /// that the job has.</summary>
    [Fact]
    public void MpiJob_HasTheFieldsOfTheOperatorAndAsManyPodsAsRanks()
    {
        string job = File.ReadAllText(Path.Combine(Folder, "ranks", "mpijob.yaml"));
        string[] ofTheJob =
        [
            .. job.Split('\n')
                .Where(static line => line.StartsWith("  ", StringComparison.Ordinal) && line.Length > 2 && char.IsLetter(line[2]))
                .Select(static line => line.Split(':')[0].Trim()),
        ];

        Assert.Equal(
            [
                "name",
                "labels",
                "mpiImplementation",
                "slotsPerWorker",
                "runLauncherAsWorker",
                "sshAuthMountPath",
                "runPolicy",
                "mpiReplicaSpecs",
            ],
            ofTheJob
        );
        Assert.Contains("apiVersion: kubeflow.org/v2beta1\nkind: MPIJob\n", job, StringComparison.Ordinal);
        Assert.Contains("    Launcher:\n      replicas: 1\n", job, StringComparison.Ordinal);
        Assert.Contains("    Worker:\n      replicas: 2\n", job, StringComparison.Ordinal);
        Assert.Contains("\"-n\", \"3\"", job, StringComparison.Ordinal);
        Assert.Equal(2, job.Split("runAsNonRoot: true").Length - 1);
    }

    [Fact]
    public async Task NetworkPolicy_SelectsThePods()
    {
        string[] documents = (await BuildAsync("base")).Split("\n---\n");
        string policy = Assert.Single(documents, document => document.Contains("kind: NetworkPolicy", StringComparison.Ordinal));

        Assert.Contains("podSelector:\n    matchLabels:\n      app.kubernetes.io/name: streaming\n", policy, StringComparison.Ordinal);
        Assert.All(
            documents.Where(document => document.Contains("      containers:", StringComparison.Ordinal)),
            pods =>
                Assert.Contains(
                    "template:\n    metadata:\n      labels:\n        app.kubernetes.io/component: ",
                    pods,
                    StringComparison.Ordinal
                )
        );
        Assert.All(
            documents.Where(document => document.Contains("      containers:", StringComparison.Ordinal)),
            pods => Assert.Contains("        app.kubernetes.io/name: streaming\n", pods, StringComparison.Ordinal)
        );
    }

    private static Task<string> BuildAsync(string folder) => RunAsync("kustomize", "build", Path.Combine(Folder, folder));

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        string? tools = Environment.GetEnvironmentVariable("STREAMING_TOOLS");
        Assert.SkipWhen(tools is null, "STREAMING_TOOLS is not set");
        using Process process = Process.Start(
            new ProcessStartInfo(Path.Combine(tools!, program), arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{program}: {await error}{output}");
        return output;
    }
}
