using Mesh.Hosting.Processes;
using Mesh.Node;

if (!OperatingSystem.IsLinux())
{
    await Console.Error.WriteLineAsync("mesh-node: Mesh runs on Linux only");
    return ExitCode.Refused;
}

return await NodeProgram.RunAsync(args, Environment.GetEnvironmentVariables());
