using System.Security.Cryptography;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>Whatever keeps a process from starting is one line and exit code 2, and nothing is left of the attempt.</summary>
public sealed class RefusedStartTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly string Node = Path.Combine(Path.GetDirectoryName(BuiltProgram.Silo)!, "node", "mesh-node");

    private static readonly string[] Directories =
    [
        "silo.lock", "silo.pid", "ca.crt", "ca.key", "admin.token", "admin.kubeconfig", "addresses.json", "mesh.db", "mesh.db-wal", "mesh.db.mark",
        "link.sock", "node.sock", "node.lock", "node.pid", "node.log", "node.journal",
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 600_000)]
    public async Task A_damaged_file_of_the_data_directory_is_one_line_and_the_rest_stays_as_it_was()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        var backup = Path.Combine(machine.DataDir, "backup.db");
        await CreateNamespaceAsync(machine, "kept");
        Assert.Equal((0, ""), await CopyAsync(machine, "--backup", backup));
        var (refused, running) = await CopyAsync(machine, "--restore", backup);
        Assert.Equal(2, refused);
        Assert.Contains($"is in use by the process {machine.SiloPid}. Stop it first: mesh-silo --stop", running, StringComparison.Ordinal);
        Assert.Equal(0, await machine.StopAsync(Stop));
        (string File, byte[] Content, string Told)[] damages =
        [
            ("mesh.db", RandomNumberGenerator.GetBytes(8192), "mesh.db' is damaged"),
            ("admin.token", [], "admin.token holds no token"),
            ("admin.token", "short\n"u8.ToArray(), "admin.token holds no token"),
            ("admin.token", RandomNumberGenerator.GetBytes(64), "admin.token holds no token"),
            ("ca.crt", [], "(ca.crt, ca.key) cannot be read"),
            ("ca.crt", RandomNumberGenerator.GetBytes(500), "(ca.crt, ca.key) cannot be read"),
            ("ca.key", [], "(ca.crt, ca.key) cannot be read"),
            ("ca.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"u8.ToArray(), "(ca.crt, ca.key) cannot be read"),
        ];
        foreach (var (file, content, told) in damages)
        {
            var path = Path.Combine(machine.DataDir, file);
            var good = await File.ReadAllBytesAsync(path, Stop);
            await File.WriteAllBytesAsync(path, content, Stop);

            await RefusedAsync(BuiltProgram.Silo, machine.DataDir, told, $"{file} with {content.Length} other bytes");

            Assert.Equal(content, await File.ReadAllBytesAsync(path, Stop));
            Assert.False(File.Exists(Path.Combine(machine.DataDir, "silo.pid")));
            await File.WriteAllBytesAsync(path, good, Stop);
        }

        await File.WriteAllBytesAsync(Path.Combine(machine.DataDir, "mesh.db"), damages[0].Content, Stop);
        Assert.Equal((0, ""), await CopyAsync(machine, "--restore", backup));
        await machine.StartAsync();
        using var api = machine.Api();
        Assert.Contains("\"kept\"", await api.GetStringAsync("/api/v1/namespaces/kept", Stop), StringComparison.Ordinal);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_directory_where_a_file_should_be_is_one_line_of_either_process()
    {
        foreach (var name in Directories)
        {
            await using var machine = SiloUnderTest.Prepare();
            Directory.CreateDirectory(Path.Combine(machine.DataDir, name));

            await RefusedAsync(BuiltProgram.Silo, machine.DataDir, name, name);
            await RefusedAsync(Node, machine.DataDir, name, name);

            Assert.Equal([name], Directory.EnumerateFileSystemEntries(machine.DataDir).Select(Path.GetFileName));
        }
    }

    [Theory(Timeout = 180_000)]
    [InlineData("--nofile=256", "only 256 files and sockets may be open (ulimit -n)")]
    [InlineData("--as=4294967296", "only 4096 MiB of address space may be used (ulimit -v)")]
    public async Task A_limit_that_is_too_low_is_one_line_and_leaves_nothing_of_a_first_start(string limit, string told)
    {
        await using var machine = SiloUnderTest.Prepare();
        var dataDir = Path.Combine(machine.DataDir, "deep", "data");

        await RefusedAsync("prlimit", dataDir, told, limit, limit, BuiltProgram.Silo);
        Assert.Empty(Directory.EnumerateFileSystemEntries(machine.DataDir));

        Directory.CreateDirectory(dataDir, Private);
        await RefusedAsync("prlimit", dataDir, told, limit, limit, Node);
        Assert.Empty(Directory.EnumerateFileSystemEntries(dataDir));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_directory_of_another_user_is_one_line_and_stays_as_it_was()
    {
        Capability.Require("giving a directory away", Capability.Chown);
        await using var machine = SiloUnderTest.Prepare();
        var dataDir = Path.Combine(machine.DataDir, "theirs");
        Directory.CreateDirectory(dataDir, Private);
        await using var chown = ProcessUnderTest.Start("chown", ["65534", dataDir]);
        Assert.Equal(0, (await chown.RunToEndAsync(Stop)).Code);

        await RefusedAsync(BuiltProgram.Silo, dataDir, "belongs to another user (uid 65534)", "another's");

        Assert.Empty(Directory.EnumerateFileSystemEntries(dataDir));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_full_disk_is_one_line_of_either_process_and_is_left_as_empty_as_it_was()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "to make a small file system needs root");
        await using var machine = SiloUnderTest.Prepare();
        var disk = Path.Combine(machine.DataDir, "disk");
        Directory.CreateDirectory(disk, Private);
        await using var mount = ProcessUnderTest.Start("mount", ["-t", "tmpfs", "-o", "size=1m,mode=0700", "none", disk]);
        var (mounted, _, why) = await mount.RunToEndAsync(Stop);
        Assert.SkipUnless(mounted == 0, "a small file system cannot be mounted here: " + why);
        try
        {
            var dataDir = Path.Combine(disk, "data");
            FillUp(Path.Combine(disk, "full"));
            await RefusedAsync(BuiltProgram.Silo, dataDir, "No space left on device", "first start");
            Assert.Equal(["full"], Directory.EnumerateFileSystemEntries(disk).Select(Path.GetFileName));

            Directory.CreateDirectory(dataDir, Private);
            await RefusedAsync(Node, dataDir, "No space left on device", "node");
            Assert.Empty(Directory.EnumerateFileSystemEntries(dataDir));
        }
        finally
        {
            await using var unmount = ProcessUnderTest.Start("umount", [disk]);
            Assert.Equal(0, (await unmount.RunToEndAsync(CancellationToken.None)).Code);
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task A_file_that_cannot_be_read_is_one_line()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root reads everything");
        await using var machine = await SiloUnderTest.StartNewAsync();
        Assert.Equal(0, await machine.StopAsync(Stop));
        foreach (var name in (string[])["admin.token", "ca.key", "mesh.db", "silo.lock", "node.lock"])
        {
            var path = Path.Combine(machine.DataDir, name);
            File.SetUnixFileMode(path, UnixFileMode.None);
            await RefusedAsync(BuiltProgram.Silo, machine.DataDir, machine.DataDir, name);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task A_directory_of_somebody_else_is_refused_and_stays_as_it_is()
    {
        await using var machine = SiloUnderTest.Prepare();
        var letter = Path.Combine(machine.DataDir, "letter.txt");
        await File.WriteAllTextAsync(letter, "mine", Stop);
        const UnixFileMode Shared = (UnixFileMode)0b001_111_111_111;
        File.SetUnixFileMode(machine.DataDir, Shared);

        await RefusedAsync(BuiltProgram.Silo, machine.DataDir, "holds no Mesh", "silo");
        await RefusedAsync(Node, machine.DataDir, "holds no Mesh", "node");
        Assert.Equal([letter], Directory.EnumerateFileSystemEntries(machine.DataDir));

        File.Delete(letter);
        await RefusedAsync(BuiltProgram.Silo, machine.DataDir, "may be written by others", "silo");
        await RefusedAsync(Node, machine.DataDir, "may be written by others", "node");
        Assert.Equal(Shared, File.GetUnixFileMode(machine.DataDir));
        Assert.Empty(Directory.EnumerateFileSystemEntries(machine.DataDir));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_silo_whose_node_cannot_start_says_why_once_in_its_log_and_in_readyz()
    {
        await using var machine = SiloUnderTest.Prepare(["--log-format", "text"]);
        await using var theNodesLock = new FileStream(Path.Combine(machine.DataDir, "node.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        const string Why = "ended with exit code 2: mesh-node: --data-dir";
        var silo = machine.Launch();

        await Eventually.Is("the kubeconfig", () => File.Exists(machine.Kubeconfig), true, TimeSpan.FromSeconds(60));
        using var api = machine.Api();
        await Eventually.Meets(
            "/readyz",
            async stop => await (await api.GetAsync("/readyz", stop)).Content.ReadAsStringAsync(stop),
            text => text.Contains("mesh-node does not run: it " + Why, StringComparison.Ordinal) && text.Contains("is used by another mesh-node", StringComparison.Ordinal),
            TimeSpan.FromSeconds(60));

        Assert.Contains(Why, Assert.Single(silo.Errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Signals.Terminate(silo.Pid);
        Assert.Equal(0, await silo.WaitForExitAsync(Stop));
    }

    private static async Task CreateNamespaceAsync(SiloUnderTest machine, string name)
    {
        using var api = machine.Api();
        using var body = new StringContent($$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{name}}}"}}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await api.PostAsync("/api/v1/namespaces", body, Stop);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task<(int Code, string Errors)> CopyAsync(SiloUnderTest machine, string command, string file)
    {
        await using var process = ProcessUnderTest.Start(BuiltProgram.Silo, [command, file, "--data-dir", machine.DataDir]);
        var (code, _, errors) = await process.RunToEndAsync(Stop);
        return (code, errors);
    }

    /// <summary>Starts <paramref name="program"/>, with <paramref name="before"/> the options of the data directory.</summary>
    private static async Task RefusedAsync(string program, string dataDir, string told, string what, params string[] before)
    {
        var isNode = (before.LastOrDefault() ?? program) == Node;
        string[] ports = isNode ? [] : ["--api-listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0", "--ingress-http", "127.0.0.1:0", "--ingress-https", "127.0.0.1:0", "--dns-listen", "127.0.0.1:0", "--silo-port", "0"];
        await using var process = ProcessUnderTest.Start(program, [.. before, "--data-dir", dataDir, .. ports]);

        var (code, output, errors) = await process.RunToEndAsync(Stop);

        Assert.True((code, output) == (2, "") && errors.TrimEnd().Split('\n').Length == 1, $"{what}: exit code {code}\n{output}{errors}");
        Assert.StartsWith(isNode ? "mesh-node: " : "mesh-silo: ", errors, StringComparison.Ordinal);
        Assert.Contains(told, errors, StringComparison.Ordinal);
    }

    private static void FillUp(string path)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var page = new byte[4096];
        while (true)
        {
            try
            {
                file.Write(page);
            }
            catch (IOException)
            {
                return;
            }
        }
    }
}
