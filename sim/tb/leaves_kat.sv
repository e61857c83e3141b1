// SPDX-License-Identifier: Apache-2.0
// The leaves' known answers under another simulator (iverilog): FIPS 197 appendix C.1 and C.3, RFC 3711 appendix B.2 and
// RFC 6188 section 7.1, the IVs of RFC 3711 appendix B.2 and RFC 7714 sections 16.1.1 and 17.1, test case 2 of the GCM
// specification, FIPS 180-4 "abc", each wrong bit of a word with ECC, and of a context's row. Prints "leaves ok" or which one differs.
`default_nettype none

module leaves_kat;
	reg clk = 1'b0;
	reg rst = 1'b1;
	always #1 clk = !clk;

	localparam [255:0] FIPS_KEY = 256'h000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f;
	localparam [127:0] FIPS_BLOCK = 128'h00112233445566778899aabbccddeeff, RFC_BLOCK = 128'hf0f1f2f3f4f5f6f7f8f9fafbfcfd0000;
	reg          k256;
	reg [255:0]  key;
	reg [127:0]  block;
	wire [127:0] cipher;
	aes_pipe aes (.clk (clk), .k256 (k256), .out (cipher), .block (block), .key (key));
	task aes_is(input next_k256, input [255:0] next_key, input [127:0] next_block, input [127:0] want);
		begin
			{k256, key, block} = {next_k256, next_key, next_block};
			repeat (15) @(negedge clk);
			if (cipher !== want) begin
				$display("AES-%0d: %h, not %h", k256 ? 256 : 128, cipher, want);
				errors = errors + 1;
			end
		end
	endtask

	reg          gcm, rtcp;
	reg [111:0]  salt;
	reg [31:0]   ssrc, index;
	reg [15:0]   seq;
	wire [127:0] iv;
	iv_gen ivs (.gcm (gcm), .rtcp (rtcp), .salt (salt), .ssrc (ssrc), .seq (seq), .index (index), .iv (iv));
	task iv_is(input [127:0] want);
		begin
			@(negedge clk);
			if (iv !== want) begin
				$display("IV: %h, not %h", iv, want);
				errors = errors + 1;
			end
		end
	endtask

	reg [71:0]  flip;
	wire [7:0]  check;
	wire [63:0] fixed;
	wire        corrected, fatal;
	secded_encode encode (.data (FIPS_BLOCK[63:0]), .check (check));
	secded_decode decode (
		.data (FIPS_BLOCK[63:0] ^ flip[63:0]), .check (check ^ flip[71:64]), .fixed (fixed), .corrected (corrected),
		.fatal (fatal)
	);
	task ecc_is(input [71:0] wrong, input one, input two);
		begin
			flip = wrong;
			@(negedge clk);
			if (corrected !== one || fatal !== two || (!two && fixed !== FIPS_BLOCK[63:0])) begin
				$display("ECC: %h became %h, corrected %b fatal %b", wrong, fixed, corrected, fatal);
				errors = errors + 1;
			end
		end
	endtask

	reg          row_we = 1'b0;
	reg [4:0]    row_at;
	reg [767:0]  row;
	wire [767:0] row_read;
	wire         row_corrected, row_fatal;
	ctx_ram #(.CTX_BITS (4)) contexts (
		.clk (clk), .we (row_we), .waddr (row_at), .wdata (row), .hold (1'b0), .raddr (row_at), .rdata (row_read),
		.corrected (row_corrected), .fatal (row_fatal), .inject (2'b0), .inject_write (2'b0), .wipe (1'b0),
		.wipe_at (5'h0)
	);
	// A row is written, these bits of it go wrong in the memory, and it is read; corrected, it is read again.
	task row_is(input [863:0] wrong, input one, input two);
		begin
			row = {24{$random}} ^ {6{FIPS_BLOCK}};
			row_at = row_at + 5'd1;
			row_we = 1'b1;
			@(negedge clk);
			row_we = 1'b0;
			contexts.mem[row_at] = contexts.mem[row_at] ^ wrong;
			repeat (2) @(negedge clk);
			if (row_corrected !== one || row_fatal !== two || (!two && row_read !== row)) begin
				$display("row: %h: corrected %b fatal %b", wrong, row_corrected, row_fatal);
				errors = errors + 1;
			end
			repeat (4) @(negedge clk);
			if (row_corrected !== 1'b0 || row_fatal !== two || (!two && row_read !== row)) begin
				$display("row: %h: read again: corrected %b fatal %b", wrong, row_corrected, row_fatal);
				errors = errors + 1;
			end
		end
	endtask

	wire [127:0] product;
	ghash_mul mul (
		.clk (clk), .x (128'h0388dace60b6a392f328c2b971b2fe78), .h (128'h66e94bd4ef8a2c3b884cfa59ca342b2e),
		.p (product)
	);

	wire         done;
	wire [7:0]   id;
	wire [159:0] digest;
	reg          start = 1'b0;
	sha1_pipe sha (
		.clk (clk), .rst (rst), .valid (start), .id (8'h5a), .state (160'h67452301efcdab8998badcfe10325476c3d2e1f0),
		.block ({32'h61626380, 416'h0, 64'd24}), .out_valid (done), .out_id (id), .out_state (digest)
	);

	integer errors = 0;
	integer bit_at, other;
	initial begin
		repeat (4) @(negedge clk);
		rst = 1'b0;
		start = 1'b1;
		@(negedge clk);
		start = 1'b0;
		aes_is(1'b0, FIPS_KEY, FIPS_BLOCK, 128'h69c4e0d86a7b0430d8cdb78070b4c55a);
		aes_is(1'b1, FIPS_KEY, FIPS_BLOCK, 128'h8ea2b7ca516745bfeafc49904b496089);
		aes_is(1'b0, {128'h2b7e151628aed2a6abf7158809cf4f3c, 128'h0}, RFC_BLOCK, 128'he03ead0935c95e80e166b16dd92b4eb4);
		aes_is(1'b1, 256'h57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98, RFC_BLOCK,
			128'h92bdd28a93c3f52511c677d08b5515a4);
		if (product !== 128'h5e2ec746917062882c85b0685353deb7) begin
			$display("GHASH: %h", product);
			errors = errors + 1;
		end
		repeat (22) @(negedge clk); // 83 clocks after start
		if (done !== 1'b1 || id !== 8'h5a || digest !== 160'ha9993e364706816aba3e25717850c26c9cd0d89d) begin
			$display("SHA-1: %b %h %h", done, id, digest);
			errors = errors + 1;
		end
		{gcm, rtcp, salt, ssrc, seq, index} = {2'b00, RFC_BLOCK[127:16], 32'h0, 16'h0, 32'h0};
		iv_is(RFC_BLOCK);
		{gcm, rtcp, salt, ssrc, seq, index} = {2'b10, 96'h517569642070726f2071756f, 16'h0, 32'h5501a0b2, 16'hf17b, 32'h0};
		iv_is({96'h51753c6580c2726f20718414, 32'h0});
		{rtcp, ssrc, seq, index} = {1'b1, 32'h4d617273, 16'h0, 32'h800005d4};
		iv_is({96'h517524055203726f207170bb, 32'h0});
		ecc_is(72'h0, 1'b0, 1'b0);
		for (bit_at = 0; bit_at < 72; bit_at = bit_at + 1) begin
			ecc_is(72'h1 << bit_at, 1'b1, 1'b0);
			for (other = 0; other < bit_at; other = other + 1)
				ecc_is(72'h1 << bit_at | 72'h1 << other, 1'b0, 1'b1);
		end
		row_at = 5'd0;
		row_is(864'h0, 1'b0, 1'b0);
		for (bit_at = 0; bit_at < 864; bit_at = bit_at + 1)
			row_is(864'h1 << bit_at, 1'b1, 1'b0);
		for (bit_at = 0; bit_at < 12; bit_at = bit_at + 1) begin // two of a word, and of its check bits
			row_is(864'h3 << 64 * bit_at + 7 * (bit_at % 8), 1'b0, 1'b1);
			row_is(864'h3 << 768 + 8 * bit_at + bit_at % 7, 1'b0, 1'b1);
		end
		if (errors == 0)
			$display("leaves ok");
		$finish;
	end
endmodule

`default_nettype wire
