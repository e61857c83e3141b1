	wire [INFO*LINES-1:0] probe_infos;
	wire [512*LINES-1:0] probe_lines;
	genvar formal_i;
	generate
		for (formal_i = 0; formal_i < LINES; formal_i = formal_i + 1) begin : formal_word
			assign probe_infos[INFO*formal_i +: INFO] = infos[formal_i];
			assign probe_lines[512*formal_i +: 512] = lines[formal_i];
		end
	endgenerate
