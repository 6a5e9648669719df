using Mesh.Hosting.Processes;
using Mesh.Node;

if (Platform.Refuse("mesh-node", OperatingSystem.IsLinux()) is { } refused)
{
    await Console.Error.WriteLineAsync(refused);
    return ExitCode.Refused;
}

return await NodeProgram.RunAsync(args, Environment.GetEnvironmentVariables());
